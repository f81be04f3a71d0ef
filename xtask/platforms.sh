#!/usr/bin/env bash
# Other systems, as far as a Linux machine can show them: cargo xtask ci --platforms
set -u
cd "$(dirname "$0")/.." || exit 1

ALL="wine arm s390x i686 musl minimum clippy miri"

usage() {
    cat <<'END'
Builds and tests the ladder for other systems, as far as a Linux machine can.

Usage: xtask/platforms.sh [PART[,PART]...]     (without one: all)

  wine     Windows programs under Wine: the tests of every rung, its demo, the pitfalls
  arm      64-bit Arm under qemu-user: netcore, frames, objects, datagrams
  s390x    a big-endian machine under qemu-user: the same, and it speaks with this one
  i686     32 bits: the tests of every rung
  musl     static programs: the tests of every rung, and its servers and clients
  minimum  the Rust version that the manifests state
  clippy   lints for macOS, FreeBSD and Windows
  miri     the parts without system calls, in an interpreter that finds undefined behaviour

What is missing is said and skipped. All of it, on Debian or Ubuntu, is installed by
xtask/platforms.sh --install, which runs:

END
    install echo
    cat <<'END'

What is built and what was printed is in target/platforms; it may be deleted, and takes 8 GB
after all parts.
END
}

MINIMUM=$(sed -n 's/^rust-version = "\(.*\)"$/\1.0/p' crates/netcore/Cargo.toml)
# Not gcc-multilib, which excludes the cross compilers.
PACKAGES="mingw-w64 wine wine64 qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross
    gcc-s390x-linux-gnu libc6-dev-s390x-cross gcc-i686-linux-gnu libc6-dev-i386-cross libc6-i386
    lib32gcc-s1 musl-tools"
TARGETS="x86_64-pc-windows-gnu x86_64-unknown-linux-musl aarch64-unknown-linux-gnu
    i686-unknown-linux-gnu s390x-unknown-linux-gnu x86_64-apple-darwin aarch64-apple-darwin
    x86_64-unknown-freebsd"

ROOT=$([ "$(id -u)" = 0 ] || echo sudo)
# Every command by itself, in front of which `echo` may stand.
install() {
    "$@" $ROOT apt-get install -y --no-install-recommends $PACKAGES &&
        "$@" rustup target add $TARGETS &&
        "$@" rustup toolchain install "$MINIMUM" --profile minimal &&
        "$@" rustup toolchain install nightly --profile minimal --component miri,rust-src
}

# What fails there and is not ours: part, test, reason. One that passes is told.
KNOWN="
wine  a_refusal_is_told_at_once_unless_the_reply_waits_behind_it    Wine takes a refusal away before it can be told
wine  nobody_listening_is_told_at_once                              as above
wine  nobody_listening_is_told_at_once_and_nothing_has_run          as above
wine  nobody_listening_is_told_at_once_and_the_next_address_is_asked   as above
wine  the_second_address_is_asked_when_nobody_listens_on_the_first_and_asked_first_from_then_on   as above
wine  the_next_address_is_asked_where_nobody_listens                as above
wine  others_are_served_while_a_client_that_never_stops_talking_is_closed   Wine has one server for all, which the flood keeps busy
wine  demo-udp-batch                                                its server cannot start: Wine refuses the question for IPV6_V6ONLY
wine  demo-unix-echo                                                there are no UNIX sockets for std on Windows, and it says so
s390x a_panic_does_not_wait_for_a_log_that_nobody_reads             it starts itself, which qemu-user cannot
arm   a_panic_does_not_wait_for_a_log_that_nobody_reads             as above
"

export CARGO_TARGET_DIR=$PWD/target/platforms CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0
export CARGO_TERM_COLOR=never
mkdir -p "$CARGO_TARGET_DIR"

RUNGS=$(sed -n '/^order = \[/,/^\]/s/^ *"\(.*\)",$/\1/p' Cargo.toml)
# Ends a program of another system that hangs, with all that it has started.
LIMIT="timeout --kill-after=10 300"

packages() { printf -- '--package %s ' "$@"; }
EVERY="$(packages $RUNGS netcore httpcore)"
WIRE="$(packages netcore framed-echo object-exchange udp-echo udp-retry udp-once udp-reliable)"

# --- what a step says -------------------------------------------------------

red=0
tell() { printf '%-8s %-22s %s\n' "$part" "$1" "$2"; }
fail() {
    tell "$1" "FAILED: $2"
    red=1
}
skip() { tell "$1" "skipped: $2"; }

# Whether everything is there; what is not is told.
need() {
    local what
    for what in "$@"; do
        case $what in
        target:*) [ -d "$(rustc --print target-libdir --target "${what#*:}" 2>/dev/null)" ] ;;
        rust:*) rustc "+${what#*:}" --version >/dev/null 2>&1 ;;
        miri) cargo +nightly miri --version >/dev/null 2>&1 ;;
        */*) [ -e "$what" ] ;;
        *) command -v "$what" >/dev/null ;;
        esac || { skip all "$what is not here; see xtask/platforms.sh --help"; return 1; }
    done
}

# Runs a command; its name, then the command.
step() {
    local name=$1 log=$CARGO_TARGET_DIR/$part-$1.log
    shift
    if "$@" >"$log" 2>&1 </dev/null; then
        tell "$name" "passed"
    else
        fail "$name" "see $log"
        tail -n 15 "$log"
    fi
}

# Runs tests, which may fail where KNOWN has them; the name of the step, then the command.
tests() {
    local name=$1 log=$CARGO_TARGET_DIR/$part-$1.log
    shift
    "$@" >"$log" 2>&1 </dev/null
    local code=$? ok failed known unexpected surprising
    ok=$(sed -n 's/^test \(.*\) \.\.\. ok$/\1/p' "$log" | sort)
    failed=$(sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "$log" | sort -u)
    known=$(awk -v part="$part" '$1 == part { print $2 }' <<<"$KNOWN" | sort)
    unexpected=$(comm -23 <(echo "$failed") <(echo "$known") | xargs)
    surprising=$(comm -12 <(echo "$ok") <(echo "$known") | uniq | xargs)
    if [ -n "$unexpected" ]; then
        fail "$name" "$unexpected; see $log"
    elif [ "$code" != 0 ] && { [ -z "$failed" ] || grep -q "^error: could not compile\|process didn't exit" "$log"; }; then
        fail "$name" "see $log"
        tail -n 15 "$log"
    else
        tell "$name" "passed: $(grep -c . <<<"$ok") tests, $(grep -c . <<<"$failed") known to fail"
    fi
    [ -z "$surprising" ] || tell "$name" "passed, and is listed as failing: $surprising"
}

cargo_test() { cargo test --locked --no-fail-fast "$@"; }

# --- the parts --------------------------------------------------------------

# A test under Wine asks cargo what it has built, and cargo is no Windows program: this one
# says what the real one has said before.
CARGO_STAND_IN='
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) {
    int metadata = argc > 1 && strcmp(argv[1], "metadata") == 0, byte;
    FILE *told = fopen(getenv(metadata ? "TOLD_METADATA" : "TOLD_BUILD"), "rb");
    if (!told) return 101;
    while ((byte = getc(told)) != EOF) putchar(byte);
    return 0;
}'
# Every Rust program wants this DLL, which Wine 8 does not have.
RANDOM_DLL='
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
    return SystemFunction036(data, (ULONG)length);
}'

wine_prefix() {
    local gcc=x86_64-w64-mingw32-gcc
    "$WINE" wineboot --init && "$WINE" winecfg -v win10 &&
        $gcc -o "$CARGO_TARGET_DIR/cargo.exe" -x c - <<<"$CARGO_STAND_IN" || return
    local dll=$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll
    [ -e "$dll" ] || $gcc -shared -o "$dll" -x c - -ladvapi32 <<<"$RANDOM_DLL"
}

# What is built, as cargo told it, for the stand-in.
wine_build() {
    cargo metadata --locked --no-deps --format-version 1 >"$CARGO_TARGET_DIR/metadata.json" &&
        cargo build --locked --bins --examples --target x86_64-pc-windows-gnu $(packages $RUNGS xtask netfault pitfalls) \
            --message-format json-render-diagnostics >"$CARGO_TARGET_DIR/build.json"
}

wine_demos() {
    local rung
    export CARGO="Z:$CARGO_TARGET_DIR/cargo.exe"
    export TOLD_METADATA="Z:$CARGO_TARGET_DIR/metadata.json" TOLD_BUILD="Z:$CARGO_TARGET_DIR/build.json"
    for rung in $RUNGS pitfalls; do
        if $LIMIT "$WINE" "$CARGO_TARGET_DIR/x86_64-pc-windows-gnu/debug/xtask.exe" demo "$rung" --plain; then
            echo "test demo-$rung ... ok"
        else
            echo "test demo-$rung ... FAILED"
        fi
    done
    unset CARGO
}

part_wine() {
    # Debian keeps the 64-bit program in a folder of its own.
    WINE=$(ls /usr/lib/wine/wine64 2>/dev/null || command -v wine64 || command -v wine)
    need target:x86_64-pc-windows-gnu x86_64-w64-mingw32-gcc "${WINE:-wine64}" || return
    export WINEPREFIX=$CARGO_TARGET_DIR/wine WINEDEBUG=-all
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER="$LIMIT $WINE"
    step prefix wine_prefix
    # Without udp-batch, which cannot start: every test would wait for its server.
    tests tests cargo_test --target x86_64-pc-windows-gnu ${EVERY/--package udp-batch /}
    step build wine_build
    tests demos wine_demos
}

# Both ends of three protocols, of which one runs on the other machine: each reply is what two
# native ends make of the same words.
speak() {
    local rung=$1 server=$2 client=$3 ready
    shift 3
    exec {lines}< <(exec $server server --port 0 2>/dev/null)
    local process=$!
    read -r -t 60 -u "$lines" ready
    $LIMIT $client client --port "${ready##*:}" "$@"
    local code=$?
    kill "$process"
    exec {lines}<&-
    return $code
}

talks() {
    local rung words here there expected
    cargo build --locked --bins $(packages framed-echo object-exchange udp-reliable) || return
    cargo build --locked --bins --target s390x-unknown-linux-gnu \
        $(packages framed-echo object-exchange udp-reliable) || return
    for rung in framed-echo object-exchange udp-reliable; do
        case $rung in
        object-exchange) words=('{"get": 2}' '{"echo": ["Привет", -1.5, 70000, null, [true]]}') ;;
        *) words=("hello" "Привет, мир!") ;;
        esac
        here=$CARGO_TARGET_DIR/debug/$rung
        there="$CARGO_TARGET_S390X_UNKNOWN_LINUX_GNU_RUNNER $CARGO_TARGET_DIR/s390x-unknown-linux-gnu/debug/$rung"
        expected=$(speak "$rung" "$here" "$here" "${words[@]}") || return
        echo "$rung: $expected"
        [ -n "$expected" ] &&
            [ "$(speak "$rung" "$there" "$here" "${words[@]}")" = "$expected" ] &&
            [ "$(speak "$rung" "$here" "$there" "${words[@]}")" = "$expected" ] || return
    done
}

part_arm() {
    need target:aarch64-unknown-linux-gnu aarch64-linux-gnu-gcc qemu-aarch64 || return
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="$LIMIT qemu-aarch64 -L /usr/aarch64-linux-gnu"
    tests tests cargo_test --target aarch64-unknown-linux-gnu $WIRE $(packages udp-batch)
}

part_s390x() {
    need target:s390x-unknown-linux-gnu s390x-linux-gnu-gcc qemu-s390x || return
    export CARGO_TARGET_S390X_UNKNOWN_LINUX_GNU_LINKER=s390x-linux-gnu-gcc
    export CARGO_TARGET_S390X_UNKNOWN_LINUX_GNU_RUNNER="$LIMIT qemu-s390x -L /usr/s390x-linux-gnu"
    # Without udp-batch: qemu passes UDP_SEGMENT on in the wrong byte order, and every test would
    # wait for what never comes.
    tests tests cargo_test --target s390x-unknown-linux-gnu $WIRE
    step both-ends talks
}

part_i686() {
    need target:i686-unknown-linux-gnu i686-linux-gnu-gcc /lib/ld-linux.so.2 || return
    export CARGO_TARGET_I686_UNKNOWN_LINUX_GNU_LINKER=i686-linux-gnu-gcc
    tests tests cargo_test --target i686-unknown-linux-gnu $EVERY
}

part_musl() {
    need target:x86_64-unknown-linux-musl musl-gcc || return
    # The variable and not --target: the cargo that a suite runs has to know it as well.
    export CARGO_BUILD_TARGET=x86_64-unknown-linux-musl
    tests tests cargo_test $EVERY
    tests programs cargo_test --package ladder-tests --test output --test rows --test families --test http_rungs
    unset CARGO_BUILD_TARGET
}

part_minimum() {
    need "rust:$MINIMUM" || return
    step check cargo "+$MINIMUM" check --workspace --all-targets --locked
    tests tests cargo "+$MINIMUM" test --locked --no-fail-fast $EVERY
}

# A C compiler whose object files are empty. Lints link nothing, and there is none for macOS here.
no_compiler() {
    cat <<'END'
#!/bin/sh
case " $* " in *" -E "*) exec cc "$@" ;; esac
while [ $# -gt 0 ]; do
    [ "$1" = -o ] && exec cc -c -x c /dev/null -o "$2"
    shift
done
exit 1
END
}

part_clippy() {
    local target
    export TARGET_CC=$CARGO_TARGET_DIR/no-compiler TARGET_AR=ar
    no_compiler >"$TARGET_CC" && chmod +x "$TARGET_CC"
    for target in x86_64-apple-darwin x86_64-pc-windows-gnu x86_64-unknown-freebsd aarch64-apple-darwin; do
        need "target:$target" || continue
        step "$target" cargo clippy --workspace --all-targets --locked --keep-going --target "$target" -- -D warnings
    done
    unset TARGET_CC TARGET_AR
}

part_miri() {
    need miri || return
    # No poll and no clock of files there, so no sockets.
    export MIRIFLAGS=-Zmiri-disable-isolation PROPTEST_CASES=4
    local miri="cargo +nightly miri test --locked --no-fail-fast"
    # Without those that take minutes there: inputs that are made from a pattern, and many of them.
    local slow="--skip every_value_ --skip a_few_bytes --skip cut_anywhere --skip an_ascii_header_
        --skip no_value_makes --skip no_path_ --skip no_limit_is_above --skip every_name_ --skip almost_a_head_ --skip many_small_numbers --skip no_bytes_are_more"
    tests messages $miri --package netcore --features codec --test codec --test frame --test lines -- $slow
    tests blocks $miri --package netcore --lib -- permits:: shares:: timers:: units:: request::
    tests datagrams $miri --package udp-reliable --package udp-batch --test timer --test outbox
    tests http $miri --package httpcore --lib -- head:: freshness:: reply::html $slow
}

# Read whole before it runs: a person may edit the file meanwhile.
main() {
    case ${1:-all} in
    -h | --help)
        usage
        return
        ;;
    --install)
        install
        return
        ;;
    all) parts=$ALL ;;
    *) parts=${1//,/ } ;;
    esac
    for part in $parts; do
        [[ " $ALL " == *" $part "* ]] || {
            echo "error: there is no part $part; there are $ALL" >&2
            return 2
        }
    done
    if [ "$(uname -s)" != Linux ]; then
        echo "skipped: only a Linux machine has what this needs"
        return
    fi
    for part in $parts; do
        "part_$part"
    done
    return $red
}

main "$@"
exit
