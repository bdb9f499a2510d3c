# Clips and a model for tests of many clips; sourced after lib.sh. Exports FA_MODELS; $face is a clip with a face in it.
need_clips() { # NAME: whether all is there; else says why not
    if ! command -v ffmpeg >/dev/null; then skip "$1" 'no ffmpeg'; return 1; fi
    if ! pipe_material; then skip "$1" 'no models or no clip at hand'; return 1; fi
    export FA_MODELS=$model; face=$clip
}
# COUNT short clips of 4 to 12 frames, cut from $face at different places, in folders of ten: DIR/1/1.avi ...
cut_clips() { # COUNT DIR
    local i from seconds
    seconds=$(fa-decode --probe "$face" | cut -f6)
    for i in $(seq "$1"); do
        mkdir -p "$2/$((i / 10))"
        from=$(awk "BEGIN { print ($seconds - 2) * $i / $1 }")
        [ -e "$2/$((i / 10))/$i.avi" ] ||
            ffmpeg -nostdin -v error -y -ss "$from" -i "$face" -frames:v $((4 + i % 9)) -c:v mpeg4 -q:v 2 -an "$2/$((i / 10))/$i.avi" || return 1
    done
}
