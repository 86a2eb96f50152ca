"""What the application carries for its routes."""

from aiohttp import web

from exchange.broker.exchange import Exchange

EXCHANGE = web.AppKey("exchange", Exchange)
