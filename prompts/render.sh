#!/bin/sh
# Renders prompts/<language>/phrases.toml into 16 kHz, 16-bit, mono WAV files beside it, and writes the
# table by which crates/prompts embeds them.
#
#   prompts/render.sh            everything
#   prompts/render.sh goodbye …  only these
#
# Needs flite and sox (Debian: apt-get install flite sox) and rustfmt. The same versions give the same bytes.
set -eu
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
language=en
voice=rms
stretch=0.9    # a little quicker than the voice speaks by itself
rate=16000
loudness=-20   # dBFS, root mean square: what one hears as loudness
ceiling=-1     # dBFS: no sample above this
folder=$here/$language
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# entries SECTION: "name<TAB>text" lines of one section of the phrases file.
entries() {
	awk -v section="[$1]" '
		/^\[/ { inside = ($0 == section) }
		inside && /^"/ {
			split($0, part, "\"")
			print part[2] "\t" part[4]
		}' "$folder/phrases.toml"
}

# level NAME: one figure of sox stats, for example "RMS lev dB".
level() {
	sox "$scratch/trimmed.wav" -n stats 2>&1 | sed -n "s/^$1 *//p"
}

render() {
	name=$1 text=$2
	spoken=$(entries spoken | awk -F '\t' -v name="$name" '$1 == name { print $2 }')
	flite -voice "$voice" --setf duration_stretch="$stretch" -t "${spoken:-$text}" -o "$scratch/raw.wav"
	# Silence off both ends, then 20 ms of it back, so that nothing begins or ends with a click.
	sox -D "$scratch/raw.wav" -r "$rate" -b 16 -c 1 "$scratch/speech.wav" \
		silence 1 0.01 0.4% reverse silence 1 0.01 0.4% reverse
	sox -D "$scratch/speech.wav" "$scratch/trimmed.wav" fade t 0.005 -0 0.01 pad 0.02 0.02
	gain=$(awk -v rms="$(level 'RMS lev dB')" -v peak="$(level 'Pk lev dB')" \
		-v loudness="$loudness" -v ceiling="$ceiling" \
		'BEGIN { gain = loudness - rms; if (gain > ceiling - peak) gain = ceiling - peak; printf "%.2f", gain }')
	mkdir -p "$(dirname "$folder/$name")"
	sox -D "$scratch/trimmed.wav" "$folder/$name.wav" gain "$gain"
}

entries text | sort >"$scratch/entries"
while IFS="$(printf '\t')" read -r name text; do
	if [ $# -eq 0 ] || printf '%s\n' "$@" | grep -qxF -- "$name"; then
		render "$name" "$text" </dev/null
	fi
done <"$scratch/entries"

# Recordings that no phrase names any more.
find "$folder" -name '*.wav' | sed "s|^$folder/||; s|\.wav\$||" | sort >"$scratch/files"
cut -f 1 "$scratch/entries" | sort >"$scratch/names"
comm -13 "$scratch/names" "$scratch/files" | while read -r name; do
	rm "$folder/$name.wav"
done

{
	echo "//! The recordings of prompts/$language and their texts, written by prompts/render.sh."
	echo
	echo "/// Name, text and WAV file of every recording, in the order of their names."
	echo "pub(crate) const RECORDINGS: &[(&str, &str, &[u8])] = &["
	sort "$scratch/entries" | while IFS="$(printf '\t')" read -r name text; do
		echo "    (\"$name\", \"$text\", include_bytes!(\"../../../prompts/$language/$name.wav\")),"
	done
	echo "];"
} >"$here/../crates/prompts/src/$language.rs"
rustfmt --edition 2024 --config-path "$here/.." "$here/../crates/prompts/src/$language.rs"
