"""The model servers that Modelward knows, one file each: what their metrics are called, where they answer."""
