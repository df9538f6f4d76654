"""Derive the shipped population tables from survey, census, life table and published incidence.

A person's value is ``location(age) + spread(age) * Q(z)`` with a standard normal ``z``, then the
inverse of the transform; a binary characteristic is present when its latent normal exceeds
``inverse_normal(1 - prevalence(age))``, so a positive correlation means "present with more of it".

Methods, in short:

* Location is a piecewise linear function of age whose knots (middles of five-year bands, and the
  mean age of those 80 and over) are fitted to individual data by weighted least squares with a
  penalty on changes of slope. The penalty gives a stated number of effective parameters. Spread is
  the square root of the same fit to squared residuals.
* The last knot, at 95, continues the mean slope since 67.5 at half its size; spread stays.
* Q is the weighted quantile function of the standardized residuals, averaged over a window of 0.4
  in z, straight beyond |z| = 2.25, standardized to mean 0 and SD 1.
* Femoral neck: location and spread from 50 on are then moved, within about their standard errors,
  towards the survey's shares of osteoporosis and osteopenia by decade (a penalized least-squares
  step), because these shares are what the table is used for.
* Activity has a third of people at zero: location, spread and Q are fitted in turn to the quantiles
  by ten-year band, so that the latent value falls below log1p(30) with the survey's chance. Values
  below zero after the inverse transform (never below -1) mean none.
* Usual calcium intake is lognormal, with the recall's mean by age and the published spread of usual
  intake; its correlations are corrected for the day-to-day variation of one recall.
* Correlations are those of the latent normals at ages 50 and over with age taken out.
"""
