"""What alerts would have heard at each row of an endpoint's history, by the functions that decide in the operator."""
