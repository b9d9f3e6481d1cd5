"""The promises of the package and of the app, each as a test."""
