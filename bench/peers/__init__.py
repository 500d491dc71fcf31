"""The systems that are measured, one module each. `SYSTEMS` maps a name to what can start it."""

from peers.caddy import Caddy
from peers.floor import Floor
from peers.h2o import H2o
from peers.haproxy import Haproxy
from peers.hitch import Hitch
from peers.nginx import Nginx
from peers.sallyport import Sallyport
from peers.stunnel import Stunnel

SYSTEMS = {
    system.name: system
    for system in (
        Haproxy(),
        Nginx(),
        Hitch(),
        Stunnel(),
        Caddy(),
        H2o(),
        Floor("floor"),
        Floor("no-tls", plain=True),
        Sallyport("sallyport"),
        Sallyport("sallyport-inworker", keys="in_worker"),
        Sallyport("sallyport-unconfined", keys="in_worker", sandbox="none"),
        Sallyport("sallyport-two-shards", shards=2),
    )
}
