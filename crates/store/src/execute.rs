//! The single bridge from operations to a store.

use crate::{Op, Reply, Store, StoreError};

/// Does one operation.
pub fn execute<S: Store + ?Sized>(store: &mut S, op: Op) -> Reply {
    run(store, op).unwrap_or_else(Reply::Failed)
}

fn run<S: Store + ?Sized>(store: &mut S, op: Op) -> Result<Reply, StoreError> {
    let done = |()| Reply::Done;
    match op {
        Op::AddUser { entry, author, at } => store.add_user(&entry, &author, at).map(Reply::PinSet),
        Op::PutUsers { entries, author, at } => store.put_users(&entries, &author, at).map(Reply::PinsSet),
        Op::ChangeUser { address, changes, author, at } => {
            store.change_user(&address, &changes, &author, at).map(|user| Reply::User(Some(Box::new(user))))
        }
        Op::RemoveUser { address, author, at } => store.remove_user(&address, &author, at).map(done),
        Op::FindUser(lookup) => store.find_user(&lookup).map(|user| Reply::User(user.map(Box::new))),
        Op::ListUsers { after } => store.users(after.as_ref()).map(Reply::Users),
        Op::DigestHashes(address) => store.digest_hashes(&address).map(Reply::DigestHashes),
        Op::CountUserChanges => store.user_changes().map(Reply::UserChanges),

        Op::CheckPin(attempt) => store.check_pin(&attempt).map(Reply::Checked),
        Op::CheckPassword(attempt) => store.check_password(&attempt).map(Reply::Checked),
        Op::FindAccount { address, at } => {
            store.find_account(&address, at).map(|account| Reply::Account(account.map(Box::new)))
        }
        Op::SetPin { address, pin, author, at } => {
            store.set_pin(&address, &pin, &author, at).map(Reply::PinSet)
        }
        Op::SetPassword { address, password, author, at } => {
            store.set_password(&address, &password, &author, at).map(done)
        }
        Op::Unlock { address, author, at } => store.unlock(&address, &author, at).map(done),
        Op::ListLocked { first, last, at } => store.locked_users(&first, &last, at).map(Reply::LockedUsers),

        Op::OpenMailbox { address, at } => {
            store.mailbox(&address, at).map(|summary| Reply::Mailbox(Box::new(summary)))
        }
        Op::ListMailboxes { after, at } => store.mailboxes(after.as_ref(), at).map(Reply::Mailboxes),
        Op::CountMessages(address) => store.counts(&address).map(Reply::Counts),
        Op::ListChangedMailboxes { after } => store.changed_mailboxes(after).map(Reply::MailboxChanges),
        Op::ListMessages { mailbox, folder, after } => {
            store.messages(&mailbox, folder, after).map(Reply::Messages)
        }
        Op::ListLatestMessages { mailbox, folder, before, limit } => {
            store.latest_messages(&mailbox, folder, before, limit).map(Reply::Messages)
        }
        Op::FindMessage(id) => store.find_message(id).map(|message| Reply::Message(message.map(Box::new))),
        Op::FetchMessage { mailbox, id } => store.message_audio(&mailbox, id).map(Reply::Audio),
        Op::MarkHeard { mailbox, id, heard } => store.mark_heard(&mailbox, id, heard).map(done),
        Op::DeleteMessage { mailbox, id, author, at } => {
            store.delete_message(&mailbox, id, &author, at).map(done)
        }
        Op::RestoreMessage { mailbox, id, author, at } => {
            store.restore_message(&mailbox, id, &author, at).map(done)
        }
        Op::FetchGreeting { mailbox, kind } => store.greeting_audio(&mailbox, kind).map(Reply::Greeting),
        Op::SetGreeting { mailbox, kind, audio, author, at } => {
            store.set_greeting(&mailbox, kind, &audio, &author, at).map(done)
        }
        Op::RemoveGreeting { mailbox, kind, author, at } => {
            store.remove_greeting(&mailbox, kind, &author, at).map(done)
        }
        Op::ChooseGreeting { mailbox, greeting, author, at } => {
            store.choose_greeting(&mailbox, greeting, &author, at).map(done)
        }
        Op::NoteMissedCall(notice) => store.note_missed_call(&notice).map(Reply::Noted),
        Op::ListMissedCalls(mailbox) => store.missed_calls(&mailbox).map(Reply::MissedCalls),
        Op::ClearMissedCalls { mailbox, up_to } => store.clear_missed_calls(&mailbox, up_to).map(done),
        Op::ListItems { mailbox, after } => {
            store.items(&mailbox, after).map(|changes| Reply::Items(Box::new(changes)))
        }
        Op::MarkMissedCall { mailbox, id, seen } => store.mark_missed_call(&mailbox, id, seen).map(done),
        Op::RemoveMissedCall { mailbox, id } => store.remove_missed_call(&mailbox, id).map(done),

        Op::Begin(begin) => store.begin(&begin).map(done),
        Op::Append { id, chunk } => store.append(id, &chunk.0).map(done),
        Op::FetchRecording(id) => store.recorded(id).map(Reply::Audio),
        Op::Finish(finish) => store.finish(&finish).map(Reply::Saved),
        Op::Discard(id) => store.discard(id).map(done),

        Op::KeepRegistrations(registrations) => store.keep_registrations(&registrations).map(done),
        Op::ListRegistrations { after, at } => {
            store.registrations(after.as_deref(), at).map(Reply::Registrations)
        }

        Op::ListDueMails { at } => store.due_mails(at).map(Reply::DueMails),
        Op::SettleMail { number, outcome, at } => store.settle_mail(number, &outcome, at).map(done),
        Op::ListQueuedMails { after } => store.queued_mails(after).map(Reply::QueuedMails),
        Op::ShowOutbox => store.outbox_state().map(Reply::OutboxState),
        Op::RetryMails { only, at } => store.retry_mails(only, at).map(Reply::Retried),
        Op::ResetPinByMail { address, author, at } => {
            store.reset_pin_by_mail(&address, &author, at).map(done)
        }

        Op::Decide(decisions) => store.decide(&decisions).map(done),
        Op::ListDecisions { call_id } => store.decisions(&call_id).map(Reply::Decisions),
        Op::RecordCall(call) => store.record_call(&call).map(done),
        Op::ListCalls { limit } => store.calls(limit).map(Reply::Calls),
        Op::Audit(record) => store.audit(&record).map(done),
        Op::ListAuditRecords(mailbox) => store.audit_records(&mailbox).map(Reply::AuditRecords),

        Op::Sweep { at } => store.sweep(at).map(Reply::Swept),
        Op::Scrub { count, at } => store.scrub(count, at).map(Reply::Scrubbed),
        Op::CheckHealth => store.health().map(Reply::Health),
    }
}
