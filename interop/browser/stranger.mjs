// A caller by hand, over TCP: for what no telephone of ours would say of itself.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';

const SECONDS = 5;
const PACKETS_A_SECOND = 50;
const SAMPLES = 160;

/// Calls an extension at `address` under a name of its own choice, makes a noise for some seconds and hangs up.
export async function callAs({ host, port }, extension, name, subject) {
    const media = createSocket('udp4').bind(0, '127.0.0.1');
    await once(media, 'listening');
    const line = connect(port, host);
    await once(line, 'connect');
    const answers = readAnswers(line);
    const call = `stranger-${media.address().port}-${port}`;
    const common = (method, sequence, to = '') => [
        `${method} sip:${extension}@${host}:${port} SIP/2.0`,
        `Via: SIP/2.0/TCP 127.0.0.1:${line.localPort};branch=z9hG4bK-${call}-${sequence}-${method}`,
        'Max-Forwards: 70',
        `From: "${name.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}" <sip:stranger@elsewhere.test>;tag=stranger`,
        `To: <sip:${extension}@${host}:${port}>${to}`,
        `Call-ID: ${call}`,
        `CSeq: ${sequence} ${method}`,
        `Contact: <sip:stranger@127.0.0.1:${line.localPort};transport=tcp>`,
    ];
    const send = (head, body = '') => line.write(`${[...head, `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`);
    const offer = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0',
        `m=audio ${media.address().port} RTP/AVP 0`, 'a=rtpmap:0 PCMU/8000', ''].join('\r\n');
    send([...common('INVITE', 1), `Subject: ${subject}`, 'Content-Type: application/sdp'], offer);
    const answer = await finalAnswer(answers);
    if (!answer.startsWith('SIP/2.0 200')) throw new Error(`the stranger's call was refused: ${answer}`);
    const tag = /^To:.*(;tag=[^\r\n;]+)/im.exec(answer)[1];
    send(common('ACK', 1, tag));
    await makeNoise(media, Number(/^m=audio (\d+)/m.exec(answer)[1]));
    send(common('BYE', 2, tag));
    await finalAnswer(answers);
    line.destroy();
    media.close();
}

async function makeNoise(media, port) {
    const header = Buffer.alloc(12);
    header[0] = 0x80;
    header.writeUInt32BE(0x5a5a5a5a, 8);
    const began = performance.now();
    for (let packet = 0; packet < SECONDS * PACKETS_A_SECOND; packet += 1) {
        header.writeUInt16BE(packet, 2);
        header.writeUInt32BE(packet * SAMPLES, 4);
        // Loud enough not to be taken for silence, and never the same.
        const sound = Buffer.from(Array.from({ length: SAMPLES }, () => (Math.random() < 0.5 ? 0 : 0x80) + Math.floor(Math.random() * 0x40)));
        media.send(Buffer.concat([header, sound]), port, '127.0.0.1');
        const due = began + (1_000 * (packet + 1)) / PACKETS_A_SECOND;
        await new Promise(resume => setTimeout(resume, Math.max(0, due - performance.now())));
    }
}

/// The messages of a connection, one after the other.
async function* readAnswers(line) {
    let text = '';
    for await (const octets of line) {
        text += octets.toString('latin1');
        for (;;) {
            const end = text.indexOf('\r\n\r\n');
            if (end < 0) break;
            const length = Number(/^(?:Content-Length|l):\s*(\d+)/im.exec(text.slice(0, end))?.[1] ?? 0);
            if (text.length < end + 4 + length) break;
            yield text.slice(0, end + 4 + length);
            text = text.slice(end + 4 + length);
        }
    }
}

async function finalAnswer(answers) {
    for (;;) {
        const { value, done } = await answers.next();
        if (done) throw new Error('the server closed the connection');
        if (value.startsWith('SIP/2.0 ') && !value.startsWith('SIP/2.0 1')) return value;
    }
}
