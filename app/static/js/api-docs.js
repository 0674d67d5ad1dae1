/* Shows the API's document. No validator badge, because nothing may be asked of another host; scopes are extensions.
   Groups open one at a time: all hundred and fifty operations at once keep a browser busy for minutes. */
SwaggerUIBundle({
  dom_id: "#swagger-ui",
  url: document.getElementById("swagger-ui").dataset.document,
  validatorUrl: null,
  showExtensions: true,
  docExpansion: "none",
});
