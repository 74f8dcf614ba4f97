#!/bin/sh
# Builds fl0p for fuzzing in build/fuzz: every memoryview access checked, and the sanitizers of the compiler
# (addresses, undefined behaviour) where they can be had.  The normal build stays as it is.
#
#   tools/fuzz/build.sh PYTHON      prints the environment in which to run it, as KEY=VALUE lines
set -eu
cd "$(dirname "$0")/../.."
python=$1 out=build/fuzz

mkdir -p "$out"
rm -rf "$out/new"
mkdir "$out/new"
cp -r fl0p_py "$out/new/"
for file in LICENSE README.md pyproject.toml fl0p.fp signatures; do
    [ ! -e $file ] || cp -r $file "$out/new/"
done
find "$out/new" \( -name '*.so' -o -name '*.c' -o -name __pycache__ \) -prune -exec rm -rf {} +
find "$out/new" \( -name '*.pyx' -o -name '*.pxd' \) -exec \
    sed -i 's/boundscheck *= *False/boundscheck=True/; s/boundscheck(False)/boundscheck(True)/' {} +
sed -i 's/"-O3", "-g0"/"-O1"/' "$out/new/pyproject.toml"

asan=$(cc -print-file-name=libasan.so)
flags=""
[ "$asan" = libasan.so ] || flags="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
mkdir -p "$out/tree"
# what is as it was keeps its date, so only what changed is compiled again
(cd "$out/new" && find . -type f) | while read -r file; do
    cmp -s "$out/new/$file" "$out/tree/$file" || {
        mkdir -p "$(dirname "$out/tree/$file")"
        cp "$out/new/$file" "$out/tree/$file"
    }
done
(cd "$out/tree" && find fl0p_py -type f ! -name '*.so' ! -name '*.c') | while read -r file; do
    [ -e "$out/new/$file" ] || rm "$out/tree/$file"
done
rm -rf "$out/new"
(cd "$out/tree" && "$python" ../../../tools/generate_c.py && CFLAGS="$flags -g" LDFLAGS="$flags" \
    "$python" -c 'import setuptools; setuptools.setup()' -q build_ext --inplace -j "$(nproc)") \
    >"$out/build.log" 2>&1 ||
    { tail -20 "$out/build.log" >&2; exit 1; }

echo "PYTHONPATH=$PWD/$out/tree"
if [ -n "$flags" ]; then
    echo "LD_PRELOAD=$asan"
    echo "ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:abort_on_error=0"
    echo "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1"
fi
