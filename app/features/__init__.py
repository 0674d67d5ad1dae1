"""The product, one folder per noun; a feature imports only features below it on the ladder."""
