# Milliseconds a series that R's forecast takes, for the first N series of a wide file.
#   Rscript ets.R FILE N
arguments <- commandArgs(trailingOnly = TRUE)
suppressMessages(library(forecast))
rows <- read.csv(arguments[1], nrows = as.integer(arguments[2]), row.names = 1)
models <- list(
    ses = function(y) ses(y, h = 28),
    theta = function(y) thetaf(y, h = 28),
    ets = function(y) forecast(ets(y), h = 28)
)
for (name in names(models)) {
    took <- system.time(for (i in seq_len(nrow(rows))) {
        models[[name]](ts(as.numeric(rows[i, ]), frequency = 7))
    })
    cat(name, 1000 * took[["elapsed"]] / nrow(rows), "\n")
}
