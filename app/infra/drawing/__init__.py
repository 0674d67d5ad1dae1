"""Pictures made on the server as SVG text: the dial and the charts; pages and PDF show the same drawing."""
