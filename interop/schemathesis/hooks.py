"""What Schemathesis does not know by itself: sound, sent and received."""

import io
import wave

import schemathesis


def _sound():
    """A tenth of a second of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(bytes(1600))
    return file.getvalue()


@schemathesis.serializer("audio/wav")
def sound_sent(ctx, value):
    """Any sound does: what is none is sent by the tests of the API itself."""
    return _sound()


@schemathesis.deserializer("audio/wav")
def sound_received(ctx, response):
    """A WAV file, where all of it was asked for."""
    if response.status_code == 200:
        wave.open(io.BytesIO(response.content)).close()
    return None
