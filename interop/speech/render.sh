#!/bin/sh
# Renders the sentences that the suites say and listen for: flite's voice `slt`, 16 kHz, silence trimmed.
# The texts are this project's own; what prompts/LICENCE.md says about sound made by flite holds here.
set -eu
cd "$(dirname "$0")"
say() {
    flite -voice slt -t "$2" -o "$1.raw.wav"
    sox -D "$1.raw.wav" -r 16000 -c 1 -b 16 "$1.wav" silence 1 0.02 0.3% reverse silence 1 0.02 0.3% reverse
    rm "$1.raw.wav"
}
say message "Hello Alice, this is Bob. Our meeting has moved to Thursday."
say other "Nobody knows where the old green bicycle went."
say greeting "Alice is away."
