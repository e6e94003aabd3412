"""Ask the measured server itself, whatever proxy the environment names (``http_proxy``).

Certificates are not verified, as in Locust's ``FastHttpUser``.
"""

import ssl
import urllib.request

_TRUSTING = ssl.create_default_context()
_TRUSTING.check_hostname, _TRUSTING.verify_mode = False, ssl.CERT_NONE
urlopen = urllib.request.build_opener(
    urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=_TRUSTING)
).open
