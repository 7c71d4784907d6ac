"""The multinomial logit (McFadden 1974): choices among any number of options by what they are like, fitted by likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import ConfigError, DataError

__all__ = ["MultinomialLogit"]

Array = NDArray[np.float64]
STEPS, SETTLED = 50, 1e-10
"""Most steps of Newton's method, and the decrement (nats of an observation) after which it ends."""
EXTREME = 35.0
"""A difference of utilities beyond which a choice is certain in double precision."""


@dataclass
class MultinomialLogit:
    """P(option) = exp(x β) / Σ exp(x' β) over the options that are available.

    An option's own constant is a column of X that is 1 there and 0 elsewhere, for all options but one.

    Attributes:
        names: of the attributes, the columns of X; numbered where not given.
        coefficients: β, shape (k,).
        cov: their covariance, shape (k, k): of maximum likelihood (the inverse of the information), or robust to clusters.
        log_likelihood: at β, in nats.
        null: the log-likelihood where all options that are available are equally likely.
        n: choices it was fitted to.
    """

    names: Sequence[str] = ()
    coefficients: Array = field(default_factory=lambda: np.zeros(0))
    cov: Array = field(default_factory=lambda: np.zeros((0, 0)))
    log_likelihood: float = 0.0
    null: float = 0.0
    n: int = 0

    def fit(
        self, X: ArrayLike, chosen: ArrayLike, available: ArrayLike | None = None, clusters: ArrayLike | None = None
    ) -> Self:
        """The coefficients under which the choices are likeliest, by Newton's method (the likelihood is concave).

        Args:
            X: attributes, shape (n, options, k).
            chosen: the place of the chosen option, shape (n,).
            available: which options there were, shape (n, options); all by default.
            clusters: whose choice it is, shape (n,): the covariance is then robust to several choices of one person (the
                sandwich of Huber and White, with the factor clusters / (clusters - 1)).

        Raises:
            ConfigError: shapes that do not fit one another.
            DataError: an attribute is not finite, a chosen option was not available, some attributes say the same (or
                nothing), or they tell every choice apart, so that no coefficients are likeliest.
        """
        x, there = _checked(X, available)
        picked = _picked(chosen, there)
        n, _, k = x.shape
        self.names = list(self.names) or [f"x{i + 1}" for i in range(k)]
        if len(self.names) != k:
            raise ConfigError(f"MultinomialLogit: {len(self.names)} names for {k} attributes")
        scale = _spread(x, there)
        z = x / scale
        self._identified(z, there)
        beta, rows = np.zeros(k), np.arange(n)
        for _ in range(STEPS):
            p, log_p = _chances(z @ beta, there)
            residual = -p
            residual[rows, picked] += 1
            gradient = np.einsum("no,nok->k", residual, z)
            step = np.linalg.solve(_information(z, p), gradient)
            beta = beta + _shortened(z, there, picked, beta, step, float(log_p[rows, picked].sum())) * step
            reach = np.abs(np.where(there, z @ beta - (z @ beta)[rows, picked][:, None], 0.0)).max()
            if gradient @ step < SETTLED * n or reach > 10 * EXTREME:
                break
        p, log_p = _chances(z @ beta, there)
        if (p[rows, picked] > 1 - np.exp(-EXTREME / 2)).all():
            raise DataError("MultinomialLogit: the attributes tell every choice apart: no coefficients are likeliest")
        cov: Array = np.linalg.inv(_information(z, p)).astype(float)
        if clusters is not None:
            cov = _sandwich(cov, z, p, picked, np.asarray(clusters))
        self.coefficients, self.cov = beta / scale, cov / np.outer(scale, scale)
        self.log_likelihood, self.n = float(log_p[rows, picked].sum()), n
        self.null = float(-np.log(there.sum(1)).sum())
        return self

    def predict(self, X: ArrayLike, available: ArrayLike | None = None) -> Array:
        """The probability of each option, shape (n, options); 0 where it is not available."""
        x, there = _checked(X, available)
        if x.shape[2] != len(self.coefficients):
            raise ConfigError(
                f"MultinomialLogit: X has {x.shape[2]} attributes, and there are {len(self.coefficients)} coefficients"
            )
        return _chances(x @ self.coefficients, there)[0]

    @property
    def errors(self) -> Array:
        """Standard errors of the coefficients, shape (k,)."""
        return np.sqrt(np.diag(self.cov))

    @property
    def rho_squared(self) -> float:
        """1 - log-likelihood / that of equal chances (McFadden)."""
        return 1 - self.log_likelihood / self.null

    def coefficient(self, name: str) -> float:
        """The coefficient of an attribute."""
        if name not in self.names:
            raise ConfigError(f"MultinomialLogit: there is no attribute {name!r}; there are {', '.join(self.names)}")
        return float(self.coefficients[list(self.names).index(name)])

    def _identified(self, z: Array, there: NDArray[np.bool_]) -> None:
        """DataError where attributes do not differ within choices, or one is a sum of others."""
        p = there / there.sum(1, keepdims=True)
        values, vectors = np.linalg.eigh(_information(z, p) / len(z))
        if values[0] > 1e-9 * max(values[-1], 1.0):
            return
        who = [self.names[i] for i in np.flatnonzero(np.abs(vectors[:, 0]) > 0.1).tolist()]
        what = f"{who[0]!r} does not differ between options" if len(who) == 1 else f"{', '.join(who)} say the same"
        raise DataError(f"MultinomialLogit: {what}: leave one out")


def _checked(X: ArrayLike, available: ArrayLike | None) -> tuple[Array, NDArray[np.bool_]]:
    """Attributes, 0 where an option is not available, and which ones are."""
    x = np.asarray(X, dtype=float)
    if x.ndim != 3 or 0 in x.shape:
        raise ConfigError(f"MultinomialLogit: X must be of shape (choices, options, attributes), not {x.shape}")
    there = np.ones(x.shape[:2], bool) if available is None else np.asarray(available, dtype=bool)
    if there.shape != x.shape[:2]:
        raise ConfigError(f"MultinomialLogit: available is of shape {there.shape}, and must be of shape {x.shape[:2]}")
    if not there.any(1).all():
        raise DataError(f"MultinomialLogit: in choice {int(np.flatnonzero(~there.any(1))[0])} no option is available")
    x = np.where(there[..., None], x, 0.0)
    if not np.isfinite(x).all():
        raise DataError(
            f"MultinomialLogit: choice {int(np.argwhere(~np.isfinite(x))[0, 0])} has attributes that are missing"
        )
    return x, there


def _picked(chosen: ArrayLike, there: NDArray[np.bool_]) -> NDArray[np.int64]:
    picked: NDArray[Any] = np.asarray(chosen)
    if picked.shape != (len(there),):
        raise ConfigError(f"MultinomialLogit: chosen is of shape {picked.shape}, and must be of shape ({len(there)},)")
    wrong = (picked != np.floor(picked)) | (picked < 0) | (picked >= there.shape[1])
    if not wrong.any():
        picked = picked.astype(np.int64)
        wrong = ~there[np.arange(len(there)), picked]
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(f"MultinomialLogit: in choice {row} option {picked[row]} was chosen, which is not available")
    return picked


def _chances(utility: Array, there: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Probabilities and their logarithms (-inf where an option is not available), shape (n, options)."""
    u = np.where(there, utility, -np.inf)
    u = u - u.max(1, keepdims=True)
    log_p = u - np.log(np.exp(u).sum(1, keepdims=True))
    return np.exp(log_p), log_p


def _information(z: Array, p: Array) -> Array:
    """Minus the Hessian of the log-likelihood: the covariances of attributes under p, summed over choices."""
    centred = z - np.einsum("no,nok->nk", p, z)[:, None]
    return np.einsum("no,nok,nol->kl", p, centred, centred, optimize=True)


def _shortened(z: Array, there: Any, picked: Any, beta: Array, step: Array, now: float) -> float:
    """How much of a step is taken: halved until the likelihood does not fall."""
    share, rows = 1.0, np.arange(len(picked))
    while share > 1e-6 and _chances(z @ (beta + share * step), there)[1][rows, picked].sum() < now:
        share /= 2
    return share


def _spread(x: Array, there: NDArray[np.bool_]) -> Array:
    """A typical size of each attribute, by which it is divided while fitting."""
    spread: Array = np.std(x[there], axis=0)
    return np.where(spread > 0, spread, 1.0)


def _sandwich(bread: Array, z: Array, p: Array, picked: NDArray[np.int64], clusters: NDArray[Any]) -> Array:
    if clusters.shape != picked.shape:
        raise ConfigError(f"MultinomialLogit: clusters is of shape {clusters.shape}, and must be of shape {picked.shape}")
    each = z[np.arange(len(picked)), picked] - np.einsum("no,nok->nk", p, z)
    groups, place = np.unique(clusters, return_inverse=True)
    sums = np.zeros((len(groups), z.shape[2]))
    np.add.at(sums, place.reshape(-1), each)
    return bread @ (sums.T @ sums) @ bread * len(groups) / max(len(groups) - 1, 1)
