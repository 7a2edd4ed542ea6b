//! From a mail that is due to its octets: who writes to whom, and which sound goes along.

use umbel_store::{DueMail, StoredAudio, Tidings};

use crate::{Addressing, attachment, compose};

/// The octets of a mail that is due. `audio` is that of the message it tells of, where it could be read; nothing
/// else has any. `None` where the PIN that it tells cannot be read, or the owner has no address any more.
pub fn octets(
    from: &str,
    utc_offset_seconds: i32,
    mail: &DueMail,
    audio: Option<&StoredAudio>,
) -> Option<Vec<u8>> {
    let owner = &mail.owner;
    let addressing = Addressing {
        from,
        to: owner.email.as_deref()?,
        to_name: &owner.name,
        mailbox: &owner.address,
        utc_offset_seconds,
    };
    Some(match &mail.tidings {
        Tidings::Message(message) => {
            let wav = audio.map(attachment::wav);
            compose::voice_mail(&addressing, message, wav.as_deref())
        }
        Tidings::MissedCall(call) => compose::missed_call(&addressing, mail.id, call),
        Tidings::Greeting(change) => compose::greeting_changed(
            &addressing,
            mail.id,
            change.kind,
            change.removed,
            &change.author,
            mail.queued,
        ),
        Tidings::Secret(change) => compose::secret_changed(&addressing, mail.id, change, mail.queued),
        Tidings::NewPin { pin, at } => compose::new_pin(&addressing, mail.id, pin.as_ref()?, *at),
    })
}
