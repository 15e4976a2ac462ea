"""Views: what people read, on cards, pages and pagers, and the shapes of HTTP."""
