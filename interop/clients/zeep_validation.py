"""Every answer that zeep gets is also validated by libxml2 against the schemas that the server publishes."""

import requests
import zeep
from lxml import etree

from world import LEGACY, URL

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
XS = "{http://www.w3.org/2001/XMLSchema}"


class Published(etree.Resolver):
    """Schemas that import others take them from the server, too."""

    def resolve(self, url, public_id, context):
        return self.resolve_string(requests.get(f"{URL}/EWS/{url.rsplit('/', 1)[-1]}").content, context)


class Validated(zeep.Plugin):
    def __init__(self, schema):
        self.schema = schema
        self.count = 0

    def ingress(self, envelope, http_headers, operation):
        (answer,) = envelope.find(f"{SOAP}Body")
        if answer.tag != f"{SOAP}Fault":
            self.schema.assertValid(etree.fromstring(etree.tostring(answer)))
            self.count += 1
        return envelope, http_headers


def exchange():
    parser = etree.XMLParser()
    parser.resolvers.add(Published())
    messages = etree.fromstring(requests.get(f"{URL}/EWS/messages.xsd").content, parser, base_url=f"{URL}/EWS/")
    return Validated(etree.XMLSchema(messages))


def unified_messaging():
    description = etree.fromstring(requests.get(f"{LEGACY}?wsdl").content)
    # Printed and read again, as its prefixes are declared outside of it.
    schema = etree.fromstring(etree.tostring(description.find(f".//{XS}schema")))
    return Validated(etree.XMLSchema(schema))
