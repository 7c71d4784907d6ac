"""A stock market: traders, order books, a bank that lends, reports, announcements and a public board."""

from ethogram.worlds.coded.stock_market.world import CHANNELS, StockMarket

__all__ = ["CHANNELS", "StockMarket"]
