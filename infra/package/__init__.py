"""The deployment packages: one zip an app, with its own requirements as wheels for Linux."""
