"""The JSON API's edge: blueprints with their OpenAPI document, strict input, paging, repeats, documentation page."""
