"""Azure: what azd deploys, and the commands that it runs before and after."""
