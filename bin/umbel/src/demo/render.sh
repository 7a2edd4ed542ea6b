#!/bin/sh
# Renders what bob says in the tour: flite's voice `slt`, 16 kHz, silence trimmed.
# The text is this project's own; what prompts/LICENCE.md says about sound made by flite holds here.
set -eu
cd "$(dirname "$0")"
flite -voice slt --setf duration_stretch=0.9 -t "Hello Alice, this is Bob. Lunch at noon?" -o bob.raw.wav
sox -D bob.raw.wav -r 16000 -c 1 -b 16 bob.wav silence 1 0.02 0.3% reverse silence 1 0.02 0.3% reverse
rm bob.raw.wav
