//! Steps of a subscription of ours, without messages.
