# A program that knows nothing of lrtune: classifies rows of a table by their k nearest neighbours, and prints how well.
#
#     awk -v k=5 -v power=2 -v train=rows.txt -v validation=others.txt -f neighbours.awk table.csv
#
# The files name rows, counted from 0; the last column is the class, all others are numbers.

BEGIN {
    FS = ","
    while ((getline row < train) > 0) is_train[row] = 1
    while ((getline row < validation) > 0) is_validation[row] = 1
}

NR > 1 && NF {
    row = NR - 2
    class[row] = $NF
    columns = NF - 1
    for (j = 1; j < NF; j++) {
        cell[row, j] = $j
        if (row in is_train) { sum[j] += $j; squares[j] += $j * $j }
    }
}

END {
    for (row in is_train) count++
    for (j = 1; j <= columns; j++) {
        deviation = sqrt(squares[j] / count - (sum[j] / count) ^ 2)
        scale[j] = deviation > 0 ? deviation : 1
    }
    for (row in is_validation) {
        rows++
        right += nearest(row) == class[row]
    }
    printf "%d neighbours: accuracy %.6f on %d rows\n", k, rows ? right / rows : 0, rows
}

function nearest(row,    other, j, n, i, distance, best, name, votes, found) {
    for (other in is_train) {
        distance = 0
        for (j = 1; j <= columns; j++) {
            difference = (cell[row, j] - cell[other, j]) / scale[j]
            distance += (difference < 0 ? -difference : difference) ^ power
        }
        # the k nearest so far, in order of distance and then of number
        for (i = n; i >= 1 && (distance < far[i] || (distance == far[i] && other + 0 < who[i])); i--) {
            far[i + 1] = far[i]
            who[i + 1] = who[i]
        }
        if (i < k) { far[i + 1] = distance; who[i + 1] = other + 0; if (n < k) n++ }
    }
    for (i = 1; i <= n; i++) votes[class[who[i]]]++
    best = ""
    for (name in votes)
        if (best == "" || votes[name] > votes[best] || (votes[name] == votes[best] && name < best)) best = name
    return best
}
