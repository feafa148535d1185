"""What is needed of IPython and its kernel: displays, background threads and the last exception."""
