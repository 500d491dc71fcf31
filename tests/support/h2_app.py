"""The app's side of h2c, of python-h2's: one connection, one thread."""

import h2.config
import h2.connection
import h2.events
import h2.exceptions


def heard(connection):
    """Who has done with us need not have read what we said last."""
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def received(side, data):
    """Behind a GOAWAY python-h2 takes nothing any more, though exchanges may still be withdrawn."""
    try:
        return side.receive_data(data)
    except h2.exceptions.ProtocolError:
        if side.state_machine.state is not h2.connection.ConnectionState.CLOSED:
            raise
        return []


def serve_streams(answer):
    """For `App`: answers each request by (status, body), which `answer(path, number)` gives, the first being 1; None: not
    at all. Returns how many came."""

    def serve(connection):
        side, count = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None)), 0
        side.initiate_connection()
        connection.sendall(side.data_to_send())
        while data := heard(connection):
            for event in received(side, data):
                if not isinstance(event, h2.events.RequestReceived):
                    continue
                count += 1
                if said := answer(dict(event.headers)[b":path"], count):
                    side.send_headers(event.stream_id, [(b":status", b"%d" % said[0])])
                    side.send_data(event.stream_id, said[1], end_stream=True)
            connection.sendall(side.data_to_send())
        return count

    return serve


def greeting_streams(text):
    """For `App`: says this to everybody who asks."""
    return serve_streams(lambda path, number: (200, text))
