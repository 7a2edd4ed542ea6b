//! The store, for those who wait without holding a thread.

use std::sync::Arc;

use tokio::sync::oneshot;
use umbel_store::{Op, Reply, StoreError};

/// Takes the one reply to an operation.
pub type Then = Box<dyn FnOnce(Reply) + Send>;

/// Puts an operation in; one that finds no room comes back.
type Ask = dyn Fn(Op, Then) -> Result<(), Op> + Send + Sync;

/// Asks the store. Copies ask the same one.
#[derive(Clone)]
pub struct StoreHandle {
    ask: Arc<Ask>,
}

impl StoreHandle {
    /// The store behind `ask`, which gives an operation back where there is no room for it.
    pub fn new(ask: impl Fn(Op, Then) -> Result<(), Op> + Send + Sync + 'static) -> Self {
        StoreHandle { ask: Arc::new(ask) }
    }

    /// What becomes of `op`. Where the store has too much to do, or has gone, that it did not happen.
    pub async fn ask(&self, op: Op) -> Reply {
        let (tell, told) = oneshot::channel();
        // Whoever asked may have left meanwhile.
        let then = Box::new(move |reply| drop(tell.send(reply)));
        if (self.ask)(op, then).is_err() {
            return Reply::Failed(StoreError::Overloaded);
        }
        told.await.unwrap_or(Reply::Failed(StoreError::Overloaded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_reply_comes_to_whoever_asked() {
        let store = StoreHandle::new(|_, then| {
            then(Reply::Done);
            Ok(())
        });
        assert_eq!(store.ask(Op::CheckHealth).await, Reply::Done);
    }

    #[tokio::test]
    async fn a_store_that_is_full_or_gone_has_too_much_to_do() {
        let full = StoreHandle::new(|op, _| Err(op));
        assert_eq!(full.ask(Op::CheckHealth).await, Reply::Failed(StoreError::Overloaded));
        let gone = StoreHandle::new(|_, _| Ok(()));
        assert_eq!(gone.ask(Op::CheckHealth).await, Reply::Failed(StoreError::Overloaded));
    }
}
