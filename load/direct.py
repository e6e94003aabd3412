"""Ask the measured server itself, whatever proxy the environment names (``http_proxy``)."""

import urllib.request

urlopen = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
