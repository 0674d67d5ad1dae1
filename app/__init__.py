"""Octant: a self-hosted, multi-tenant career planning service. Importing this package does nothing."""
