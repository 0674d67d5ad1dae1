"""The rooms of the plan, one per step; siblings never import each other."""
