trap '' INT TERM HUP QUIT; left=
while read -r sign id; do
    others=
    for one in $left; do [ $one = $id ] || others="$others $one"; done
    left=$others
    [ $sign = - ] || left="$left $id"
done
for one in $left; do kill -s TERM -- -$one 2>/dev/null || kill -s TERM $one; done
