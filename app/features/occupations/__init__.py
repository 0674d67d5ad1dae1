"""The catalogue of occupations: releases of official data, searched, shown and matched against."""
