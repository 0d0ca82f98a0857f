# R's package forecast beside tests/oracle/forecast_fit: `Rscript forecast.R PROGRAM`, from an empty
# folder. Log-likelihoods have no constants in either. Exit code 1 if
#   R's own recursions, from our parameters and start states, have another likelihood or forecast;
#   R found a better place than we did, or a model with a lower AICc;
#   a forecast without likelihood (theta) differs.
# What is better here, and how long both took, is said.
suppressMessages(library(forecast))
program <- commandArgs(trailingOnly = TRUE)[1]

SAME <- 1e-3 # log-likelihoods; R's simplex stops within about this of a maximum
EXACT <- 1e-7 # relative, the same place by other arithmetic
TOLERANCE <- 1e-4 # relative to the largest value, of forecasts

set.seed(1)
shop <- function(n) {
    week <- c(0.8, 0.9, 1, 1, 1.2, 1.4, 0.7)
    level <- 40 * exp(cumsum(rnorm(n, 0, 0.02)))
    ts(round(level * rep_len(week, n) * exp(rnorm(n, 0, 0.25))) + 1, frequency = 7)
}
series <- list(
    AirPassengers = AirPassengers, USAccDeaths = USAccDeaths, Nile = Nile, WWWusage = WWWusage,
    lynx = lynx, LakeHuron = LakeHuron, JohnsonJohnson = JohnsonJohnson, UKgas = UKgas,
    ldeaths = ldeaths, discoveries = discoveries, airmiles = airmiles,
    BJsales = BJsales, co2 = window(co2, start = 1985), shop150 = shop(150)
)
timed <- list(shop730 = shop(730), shop1900 = shop(1900)) # R takes too long for each of the models

horizon <- 12
write_lines <- function(all) vapply(names(all), function(name) {
    paste(name, frequency(all[[name]]), horizon, paste(sprintf("%.17g", all[[name]]), collapse = " "))
}, "")
writeLines(write_lines(c(series, timed)), "series.txt")
ours <- strsplit(system2(program, stdin = "series.txt", stdout = TRUE), " ")

milliseconds <- function(expression) {
    gc()
    1e3 * system.time(expression)[["elapsed"]]
}

# list(value = log-likelihood or NA, aicc, mean, choice), or NULL if R has no such fit.
by_r <- function(y, model) tryCatch({
    fit <- NULL
    if (model == "ets") {
        fit <- ets(y)
    } else if (grepl(",", model)) {
        parts <- strsplit(model, ",")[[1]]
        damped <- parts[2] == "Ad"
        fit <- ets(y, model = paste0(parts[1], substr(parts[2], 1, 1), parts[3]), damped = damped)
    }
    if (is.null(fit)) {
        mean <- switch(model, ses = ses(y, h = horizon)$mean, holt = holt(y, h = horizon)$mean,
            damped = holt(y, h = horizon, damped = TRUE)$mean, theta = thetaf(y, h = horizon)$mean)
        return(list(value = NA, aicc = NA, mean = as.numeric(mean), choice = ""))
    }
    choice <- gsub("ETS\\(|\\)", "", fit$method)
    # Without intervals: with them R gives means of a distribution for some models.
    list(value = fit$loglik, aicc = fit$aicc, choice = choice, fit = fit,
        mean = as.numeric(forecast(fit, h = horizon, PI = FALSE)$mean))
}, error = function(e) NULL)

# What R makes of our parameters and start states: list(value, mean). `fit`: R's of the same model.
by_r_from <- function(y, model, found, fit) {
    parts <- strsplit(model, ",")[[1]]
    trend <- substr(parts[2], 1, 1)
    start <- found[5]
    if (trend != "N") start <- c(start, found[6])
    if (parts[3] != "N") start <- c(start, rev(found[-(1:6)])) # R has the latest first
    m <- if (parts[3] == "N") 1 else frequency(y)
    pass <- forecast:::pegelsresid.C(y, m, start, parts[1], trend, parts[3], parts[2] == "Ad",
        found[1], found[2], found[3], found[4], 3)
    fit$states <- pass$states
    fit$sigma2 <- sum(pass$e^2) / (length(y) - length(fit$par))
    fit$par[c("alpha", "beta", "gamma", "phi")] <- found[1:4] # adds names: after sigma2
    list(value = -pass$lik / 2, mean = as.numeric(forecast(fit, h = horizon, PI = FALSE)$mean))
}

compared <- exact <- failures <- better <- same <- other <- 0
say_failure <- function(...) {
    failures <<- failures + 1
    cat("FAIL:", ..., "\n")
}
for (line in ours) {
    name <- line[1]
    parts <- strsplit(line[2], "=")[[1]]
    is_timed <- name %in% names(timed)
    if (is_timed && grepl(",", parts[1])) next
    numbers <- suppressWarnings(as.numeric(line[-(1:2)]))
    ms <- numbers[1]
    value <- numbers[2]
    aicc <- numbers[3]
    mean <- numbers[3 + seq_len(horizon)]
    found <- numbers[-seq_len(3 + horizon)]
    y <- c(series, timed)[[name]]
    of_r <- NULL
    ms_r <- milliseconds(of_r <- by_r(y, parts[1]))
    if (is_timed) cat(sprintf("%-8s n=%4d %-6s %9.2f ms, R %9.2f ms: %.0f times\n", name, length(y),
        parts[1], ms, ms_r, ms_r / ms))
    if (is.null(of_r)) next
    compared <- compared + 1
    what <- paste(name, line[2])
    off <- function(a) max(abs(mean - a)) / max(abs(y))
    if (is.na(value)) {
        # ses, holt and damped are A,N,N, A,A,N and A,Ad,N: compared there.
        if (parts[1] == "theta" && off(of_r$mean) > TOLERANCE)
            say_failure(what, "forecasts differ by", off(of_r$mean))
        next
    }
    if (parts[1] == "ets") {
        if (aicc > of_r$aicc + 2 * SAME)
            say_failure(what, sprintf("AICc %.5f, R %.5f by %s", aicc, of_r$aicc, of_r$choice))
        if (parts[2] == of_r$choice) same <- same + 1 else {
            other <- other + 1
            cat(sprintf("%s: AICc %.4f, R chose %s with %.4f\n", what, aicc, of_r$choice, of_r$aicc))
        }
        next
    }
    from_ours <- by_r_from(y, parts[1], found, of_r$fit)
    # forecast 8.20 takes (level + slope) times season for the next value of M,Ad,M, where its own
    # recursion has (level + phi slope) times season.
    if (parts[1] == "M,Ad,M") from_ours$mean <- mean
    if (abs(from_ours$value - value) > EXACT * abs(value) || off(from_ours$mean) > EXACT)
        say_failure(what, "R's likelihood from here differs by", from_ours$value - value,
            "forecasts by", off(from_ours$mean))
    else exact <- exact + 1
    k <- length(of_r$fit$par) + 1
    n <- length(y)
    if (abs(aicc - (2 * k - 2 * value + 2 * k * (k + 1) / (n - k - 1))) > EXACT * abs(aicc))
        say_failure(what, "AICc is not that of", k, "parameters")
    if (value < of_r$value - SAME)
        say_failure(what, sprintf("log-likelihood %.5f, R %.5f", value, of_r$value))
    if (value > of_r$value + SAME) better <- better + 1
}
cat(sprintf("%d compared: %d are what R's recursions give; R's search ends lower in %d;", compared, exact,
    better), sprintf("%d choices are R's, %d have a lower AICc; %d failures\n", same, other, failures))
quit(status = if (failures > 0 || exact < 100) 1 else 0)
