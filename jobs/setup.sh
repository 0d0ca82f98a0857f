# Sourced by jobs/demo.sh, tests/run.sh and .ci/run: installs packages and sets what Open MPI needs.
#
#   setup_packages build run    install what packages.txt lists in these sections and is missing
#   setup_mpi                   export the variables that mpirun needs here
#   setup_duckdb                install the npm package that bench/package.json pins, once; exports
#                               VESPER_NPM, its folder
#
# Needs bash, and `root` set to the top folder of the checkout.

setup_missing() {
    local section= wanted=" $* " package command
    while read -r package command; do
        case $package in
        '' | '#'*) continue ;;
        '['*) section=${package#[} section=${section%]} && continue ;;
        esac
        [[ $wanted == *" $section "* ]] || continue
        if [ -n "$command" ] && command -v "$command" >/dev/null 2>&1; then continue; fi
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            printf '%s\n' "$package"
    done <"$root/packages.txt"
}

setup_packages() {
    local missing as_root=
    if ! command -v dpkg-query >/dev/null 2>&1; then
        echo "vesper: this is not Debian: install the counterparts of packages.txt by hand;" \
            "going on with what is there" >&2
        return 0
    fi
    missing=$(setup_missing "$@")
    [ -n "$missing" ] || return 0
    missing=$(printf '%s' "$missing" | tr '\n' ' ')
    if [ "$(id -u)" -ne 0 ]; then
        as_root=sudo
        if ! command -v sudo >/dev/null 2>&1; then
            echo "vesper: packages are missing and this user is neither root nor has sudo;" \
                "ask for: apt-get install $missing" >&2
            return 1
        fi
    fi
    echo "vesper: installing $missing" >&2
    $as_root apt-get update -qq &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
            --no-install-recommends $missing >/dev/null </dev/null || {
        echo "vesper: apt-get could not install the packages; see its message above" >&2
        return 1
    }
}

setup_mpi() {
    if [ "$(id -u)" -eq 0 ]; then
        export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    fi
    export OMPI_MCA_rmaps_base_oversubscribe=1 # more ranks than cores are welcome
    export OMP_WAIT_POLICY=passive             # waiting threads leave the core to others
}

setup_duckdb() {
    export VESPER_NPM=${VESPER_NPM:-$root/build/npm}
    cmp -s "$root/bench/package.json" "$VESPER_NPM/package.json" && return 0
    if ! command -v npm >/dev/null 2>&1; then
        echo "vesper: DuckDB for Node.js is installed by npm, which is not there" >&2
        return 1
    fi
    echo "vesper: installing the npm package @duckdb/node-api into $VESPER_NPM" >&2
    local part=$VESPER_NPM.part.$$
    rm -rf "$part"
    mkdir -p "$part" && cp "$root/bench/package.json" "$part/" &&
        npm install --prefix "$part" --silent --no-audit --no-fund >&2 </dev/null &&
        rm -rf "$VESPER_NPM" && mv "$part" "$VESPER_NPM" && return 0
    rm -rf "$part"
    echo "vesper: npm could not install @duckdb/node-api; see its message above" >&2
    return 1
}
