"""Who runs where: the proxy alone on one core, what loads it on the other."""

PROXY_CORE = 0
LOAD_CORE = 1
