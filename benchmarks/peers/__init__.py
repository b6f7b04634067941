"""The same networks, written as users of other libraries write them."""
