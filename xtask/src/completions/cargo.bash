if ! declare -F _cargo >/dev/null; then
    if declare -F _comp_load >/dev/null; then _comp_load cargo
    elif declare -F _completion_loader >/dev/null; then _completion_loader cargo
    fi
fi
_cargo_or_xtask() {
    if [[ ${COMP_WORDS[1]} != xtask ]]; then
        if declare -F _cargo >/dev/null; then _cargo "$@"; fi
        return
    fi
    COMP_WORDS=("${COMP_WORDS[@]:1}")
    (( COMP_CWORD -= 1 ))
    _xtask xtask "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
}
complete -F _cargo_or_xtask -o bashdefault -o default cargo
