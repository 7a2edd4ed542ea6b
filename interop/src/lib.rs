//! What the suites share: starting our program and other people's, and listening to what they recorded.
