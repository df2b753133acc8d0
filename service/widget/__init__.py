"""The face: the web component, the ask page at ``/`` and the page for frames."""
