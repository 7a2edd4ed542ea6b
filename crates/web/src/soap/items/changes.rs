//! `UpdateItem`, `DeleteItem`, `MoveItem`, `MarkAllItemsAsRead`: decided on the index, done by the store, and told
//! when it is done.

use umbel_ews::ResponseCode;
use umbel_ews::fault::Fault;
use umbel_ews::item::change::{self, MarkAll, MoveItem, Standing, Update};
use umbel_ews::item::index::Index;
use umbel_ews::item::mailbox::Mailbox;
use umbel_ews::item::reference::ItemReference;
use umbel_store::{Item, MessageId, Op, Reply};

use super::print;
use crate::Desk;
use crate::soap::answer::code;

/// Changes of one request that are with the store at once: they are committed together.
const AT_ONCE: usize = 64;

/// What is to be done about one thing of a request; nothing where it is so already.
type Wish = Result<Option<Op>, ResponseCode>;

/// Answers `UpdateItem`.
pub(super) async fn update(
    desk: &Desk,
    mailbox: &Mailbox,
    updates: Vec<Result<Update, ResponseCode>>,
) -> Result<String, Fault> {
    let wishes = decide(desk, mailbox, |standing| {
        let one = |update: &Result<Update, ResponseCode>| {
            change::update(update.as_ref().map_err(|c| *c)?, standing)
        };
        updates.iter().map(one).collect()
    });
    let done = fulfil(desk, wishes.await?).await;
    let ids = updates.iter().map(|update| update.as_ref().map(|update| update.item.id).ok());
    let items = after(desk, mailbox, done, ids.collect(), true).await?;
    let found = |item: Result<Option<Item>, ResponseCode>| item?.ok_or(ResponseCode::ErrorItemNotFound);
    Ok(print(|writer| change::updated(writer, items.into_iter().map(found).collect())))
}

/// Answers `DeleteItem`.
pub(super) async fn delete(
    desk: &Desk,
    mailbox: &Mailbox,
    items: Vec<Result<ItemReference, ResponseCode>>,
) -> Result<String, Fault> {
    let wishes = decide(desk, mailbox, |standing| {
        items.into_iter().map(|item| change::delete(item?, standing).map(Some)).collect()
    });
    let done = fulfil(desk, wishes.await?).await;
    Ok(print(|writer| change::deleted(writer, done)))
}

/// Answers `MoveItem`.
pub(super) async fn move_items(desk: &Desk, mailbox: &Mailbox, request: MoveItem) -> Result<String, Fault> {
    let MoveItem { to, items, tell_ids } = request;
    let wishes = decide(desk, mailbox, |standing| {
        items.iter().map(|item| change::move_to((*item)?, to?, standing)).collect()
    });
    let done = fulfil(desk, wishes.await?).await;
    let ids = items.iter().map(|item| item.as_ref().map(|item| item.id).ok());
    let items = after(desk, mailbox, done, ids.collect(), tell_ids).await?;
    Ok(print(|writer| change::moved(writer, items)))
}

/// Answers `MarkAllItemsAsRead`.
pub(super) async fn mark_all(desk: &Desk, mailbox: &Mailbox, request: MarkAll) -> Result<String, Fault> {
    let mut answers = Vec::with_capacity(request.folders.len());
    for folder in request.folders {
        let Ok(folder) = folder else {
            answers.push(folder.map(|_| ()));
            continue;
        };
        let wishes = decide(desk, mailbox, |standing| {
            change::mark_all(folder, request.seen, standing).into_iter().map(|op| Ok(Some(op))).collect()
        });
        // An item that went meanwhile needs no mark.
        let done = fulfil(desk, wishes.await?).await.into_iter();
        let mut failed = done.filter_map(Result::err).filter(|code| *code != ResponseCode::ErrorItemNotFound);
        answers.push(failed.next().map_or(Ok(()), Err));
    }
    Ok(print(|writer| change::marked_all(writer, answers)))
}

/// Decides on the mailbox as it is now.
async fn decide(
    desk: &Desk,
    mailbox: &Mailbox,
    decide: impl FnOnce(Standing<'_>) -> Vec<Wish>,
) -> Result<Vec<Wish>, Fault> {
    let index = desk.shelf.indexes.of(&mailbox.owner, &desk.store).await;
    let index = index.map_err(|reply| desk.fault_of(&reply))?;
    Ok(decide(Standing { index: &index, owner: &mailbox.owner, at: desk.now() }))
}

/// Has the store do what is wished for; in order, some at a time.
async fn fulfil(desk: &Desk, wishes: Vec<Wish>) -> Vec<Result<(), ResponseCode>> {
    let mut done = Vec::with_capacity(wishes.len());
    let mut wishes = wishes.into_iter().peekable();
    while wishes.peek().is_some() {
        let asked: Vec<_> = wishes
            .by_ref()
            .take(AT_ONCE)
            .map(|wish| {
                wish.map(|op| {
                    op.map(|op| {
                        let store = desk.store.clone();
                        tokio::spawn(async move { store.ask(op).await })
                    })
                })
            })
            .collect();
        for one in asked {
            done.push(match one {
                Ok(Some(reply)) => reply.await.map_or(Err(ResponseCode::ErrorInternalServerError), outcome),
                Ok(None) => Ok(()),
                Err(code) => Err(code),
            });
        }
    }
    done
}

fn outcome(reply: Reply) -> Result<(), ResponseCode> {
    match reply {
        Reply::Done => Ok(()),
        Reply::Failed(error) => Err(code(error).unwrap_or(ResponseCode::ErrorInternalServerError)),
        _ => Err(ResponseCode::ErrorInternalServerError),
    }
}

/// The items of what was done, as they are now; none where nobody wants to know, or it is no more.
async fn after(
    desk: &Desk,
    mailbox: &Mailbox,
    done: Vec<Result<(), ResponseCode>>,
    ids: Vec<Option<MessageId>>,
    wanted: bool,
) -> Result<Vec<Result<Option<Item>, ResponseCode>>, Fault> {
    let index = desk.shelf.indexes.of(&mailbox.owner, &desk.store).await;
    let index: &Index = &*index.map_err(|reply| desk.fault_of(&reply))?;
    let item = |id: Option<MessageId>| id.filter(|_| wanted).and_then(|id| index.item(id)).cloned();
    Ok(done.into_iter().zip(ids).map(|(done, id)| done.map(|()| item(id))).collect())
}
