# Series to compare models on, as wide files for `vesper forecast --series`:
#   Rscript accuracy.R FOLDER
# monthly, quarterly, yearly, daily: those that come with R and its package forecast.
# hourly: `taylor`, half-hourly demand for electricity, added up by hours.
# weeks, weeks_year: 200 drawn series of two to thirty years, a third of them random walks; the others a slow
# level and noise, in the second file with a year.
suppressMessages(library(forecast))
folder <- commandArgs(trailingOnly = TRUE)[1]

write_wide <- function(name, series) {
    longest <- max(lengths(series))
    line <- function(id) {
        values <- as.numeric(series[[id]])
        paste(c(id, format(values, digits = 10, trim = TRUE), rep("", longest - length(values))), collapse = ",")
    }
    header <- paste0("V", seq_len(longest + 1), collapse = ",")
    writeLines(c(header, vapply(names(series), line, "")), file.path(folder, paste0(name, ".csv")))
}

# Every series without missing values of two packages; a matrix is one a column.
of_r <- list()
for (package in c("datasets", "forecast")) {
    for (item in sub(" .*", "", data(package = package)$results[, "Item"])) {
        object <- getExportedValue(package, item)
        if (!is.ts(object) || anyNA(object)) next
        columns <- if (is.matrix(object)) colnames(object) else ""
        for (column in columns) {
            series <- if (column == "") object else object[, column]
            if (length(unique(series)) > 2) of_r[[paste0(item, column)]] <- series
        }
    }
}
frequencies <- vapply(of_r, frequency, 0)
write_wide("monthly", of_r[frequencies == 12])
write_wide("quarterly", of_r[frequencies == 4])
write_wide("yearly", of_r[frequencies == 1])
write_wide("daily", of_r[frequencies > 200 & frequencies < 300])
write_wide("hourly", list(taylor = colSums(matrix(taylor, 2))))

set.seed(1)
draw_weeks <- function(k, has_year) {
    n <- round(exp(runif(1, log(104), log(1560))))
    base <- exp(runif(1, 5, 9))
    if (k %% 3 == 0) return(base * exp(cumsum(rnorm(n, 3e-4, runif(1, .01, .04)))))
    level <- cumsum(rnorm(n, 0, runif(1, .001, .02)))
    noise <- as.numeric(arima.sim(list(ar = runif(1, .1, .9)), n)) * runif(1, .02, .1)
    place <- 2 * pi * seq_len(n) / 52.18
    year <- runif(1, .05, .4) * cos(place + runif(1, 0, 6)) + runif(1, 0, .2) * cos(2 * place + runif(1, 0, 6))
    base * exp(level + noise + has_year * year)
}
for (name in c("weeks", "weeks_year")) {
    drawn <- lapply(1:200, draw_weeks, has_year = name == "weeks_year")
    names(drawn) <- paste0("w", 1:200)
    write_wide(name, drawn)
}
