autoload -Uz _cargo
_cargo_or_xtask() {
    if [[ $words[2] != xtask ]]; then
        _cargo "$@" 2>/dev/null || _files
        return
    fi
    shift words
    (( CURRENT -= 1 ))
    _xtask
}
compdef _cargo_or_xtask cargo
