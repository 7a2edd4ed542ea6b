//! Recordings, in memory. What is here is as safe as it will ever be.

use bytes::Bytes;

use super::outbox::Kept;
use super::{MemoryStore, Message, Recording};
use crate::{
    Begin, CHUNK_BYTES_MAX, Event, Finish, Greeting, GreetingKind, MessageId, MessageState, Purpose,
    RECORDING_BYTES_MAX, RECORDINGS_MAX, Recordings, Refusal, Saved, StoreError, StoredAudio, VoiceMessage,
    clean_text,
};

impl MemoryStore {
    /// What an id that was finished before became.
    fn saved_before(&self, id: MessageId) -> Option<&VoiceMessage> {
        self.accounts.values().find_map(|account| account.message(id).ok()).map(|message| &message.envelope)
    }

    fn recording_mut(&mut self, id: MessageId) -> Result<&mut Recording, StoreError> {
        self.recordings.get_mut(&id).ok_or(StoreError::Refused(Refusal::NoSuchRecording(id)))
    }

    fn save_message(
        &mut self,
        recording: &Recording,
        finish: &Finish,
        audio: Bytes,
    ) -> Result<Saved, StoreError> {
        let begin = &recording.begin;
        let Purpose::Message { caller, subject, .. } = &begin.purpose else {
            return Err(Refusal::NoSuchRecording(begin.id).into());
        };
        let account = self.account_mut(&begin.mailbox)?;
        account.last_number += 1;
        let envelope = VoiceMessage {
            id: begin.id,
            mailbox: begin.mailbox.clone(),
            number: account.last_number,
            caller: caller.clean(),
            subject: clean_text(subject),
            importance: finish.importance,
            received: begin.at,
            duration: begin.format.duration(audio.len() as u64),
            state: MessageState::New,
            deleted: None,
            incomplete: false,
            damaged: false,
            format: begin.format,
            bytes: audio.len() as u64,
            call_id: begin.call_id.clone(),
        };
        let marks = account.items.came();
        let message = Message { envelope: envelope.clone(), heard: false, audio, marks };
        account.messages.insert(envelope.number, message);
        self.note_change(&begin.mailbox);
        self.queue_mail(&begin.mailbox, envelope.id, Kept::Message, finish.at);
        Ok(Saved::Message(Box::new(envelope)))
    }

    fn save_greeting(
        &mut self,
        begin: &Begin,
        kind: GreetingKind,
        finish: &Finish,
        audio: Bytes,
    ) -> Result<Saved, StoreError> {
        let (bytes, mailbox) = (audio.len() as u64, begin.mailbox.clone());
        let greeting = Greeting { kind, format: begin.format, bytes, recorded: finish.at };
        self.account_mut(&mailbox)?.greetings.insert(kind, (greeting, audio));
        Ok(Saved::Greeting { mailbox, kind, duration: begin.format.duration(bytes) })
    }
}

impl Recordings for MemoryStore {
    fn begin(&mut self, begin: &Begin) -> Result<(), StoreError> {
        if self.recordings.contains_key(&begin.id) || self.saved_before(begin.id).is_some() {
            return Ok(());
        }
        let messages_max = self.config.messages_max;
        let summary = self.account(&begin.mailbox)?.user();
        if matches!(begin.purpose, Purpose::Message { .. }) {
            if !summary.settings.enabled {
                return Err(Refusal::Disabled.into());
            }
            let kept = self.account(&begin.mailbox)?.messages.values();
            let kept = kept.filter(|message| message.envelope.deleted.is_none()).count();
            let running = self.recordings.values().filter(|running| {
                running.begin.mailbox == begin.mailbox
                    && matches!(running.begin.purpose, Purpose::Message { .. })
            });
            // REL-10: said before the tone, so what is running is counted as if it were here.
            if kept + running.count() >= messages_max as usize {
                return Err(Refusal::MailboxFull.into());
            }
        }
        if self.recordings.len() >= RECORDINGS_MAX {
            return Err(StoreError::Overloaded);
        }
        self.recordings.insert(begin.id, Recording { begin: begin.clone(), audio: Vec::new() });
        Ok(())
    }

    fn append(&mut self, id: MessageId, chunk: &[u8]) -> Result<(), StoreError> {
        let recording = self.recording_mut(id)?;
        let length = recording.audio.len() as u64 + chunk.len() as u64;
        if chunk.len() > CHUNK_BYTES_MAX || length > RECORDING_BYTES_MAX {
            return Err(Refusal::RecordingTooLong.into());
        }
        recording.audio.extend_from_slice(chunk);
        Ok(())
    }

    fn recorded(&mut self, id: MessageId) -> Result<StoredAudio, StoreError> {
        let recording = self.recording_mut(id)?;
        let data = Bytes::copy_from_slice(&recording.audio);
        Ok(StoredAudio { format: recording.begin.format, data, damaged: false })
    }

    fn finish(&mut self, finish: &Finish) -> Result<Saved, StoreError> {
        let Some(recording) = self.recordings.remove(&finish.id) else {
            let saved = self.saved_before(finish.id).ok_or(Refusal::NoSuchRecording(finish.id))?;
            return Ok(Saved::Message(Box::new(saved.clone())));
        };
        let begin = &recording.begin;
        let keep = finish.keep.map_or(u64::MAX, |duration| begin.format.bytes(duration));
        let keep = usize::try_from(keep).unwrap_or(usize::MAX).min(recording.audio.len());
        // A sample that was cut off in its middle is none.
        let whole = keep - keep % usize::try_from(begin.format.bytes_per_sample()).unwrap_or(1);
        let audio = Bytes::copy_from_slice(recording.audio.get(..whole).unwrap_or_default());
        match &begin.purpose {
            Purpose::Message { .. } => self.save_message(&recording, finish, audio),
            Purpose::Greeting { kind, author } => {
                let saved = self.save_greeting(begin, *kind, finish, audio)?;
                self.write_audit(&begin.mailbox, author, Event::GreetingRecorded(*kind), finish.at);
                self.queue_greeting_mail(&begin.mailbox, *kind, false, author, finish.at);
                Ok(saved)
            }
        }
    }

    fn discard(&mut self, id: MessageId) -> Result<(), StoreError> {
        self.recordings.remove(&id);
        Ok(())
    }
}
