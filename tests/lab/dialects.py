"""What the fault proxy knows about each API: what a request asks for, how the API says no, and what a listing looks like."""
import fnmatch
import json
import re
import threading
import urllib.parse
import uuid
import xml.etree.ElementTree


class Plain:
    """No API in particular; what the others are."""

    content = "text/plain"

    def operation(self, request):
        """The name that tests and records call a request by."""
        return f"{request.method} {request.path.partition('?')[0]}"

    def changes(self, operation):
        """Does this operation change something (and not only look)?"""
        return not operation.startswith(("GET ", "HEAD "))

    def refusal(self, status, code, text):  # noqa: ARG002
        """The body of an answer that says no."""
        return text.encode()

    def temporary(self, status):
        """Body of an answer that has nothing to do with the request."""
        names = {429: ("RequestLimitExceeded", "Request limit exceeded."), 500: ("InternalError", "An internal error occurred."),
                 503: ("Unavailable", "The server is overloaded."), 401: ("AuthFailure", "The credentials are not valid.")}
        return self.refusal(status, *names[status])

    def expired(self):
        """(status, body): the token or session was good once."""
        return 401, self.refusal(401, "ExpiredToken", "The token has expired.")

    def broken(self, body):
        """A reply that no parser accepts."""
        return body[:len(body) // 2] + b"<\x00{" + body[len(body) // 2:]

    def answered_already(self, request):  # noqa: ARG002
        """(status, body) when the request must not be passed on, because the API remembers it; else None."""
        return None

    def remember(self, request, status, body):
        """Sees every reply of the API."""

    def without(self, request, status, body, known):  # noqa: ARG002
        """(status, body) of a listing without the machines that are not `known`; None when it shows no other."""
        return None


class Linode(Plain):
    """API v4. A machine's id is a number; known ones may be given as text too."""

    content = "application/json"

    def refusal(self, status, code, text):
        """`code`: the field that the error is about, or nothing."""
        error = {"reason": text, **({"field": code} if code and code[0].islower() else {})}
        return json.dumps({"errors": [error]}).encode()

    def expired(self):
        return 401, self.refusal(401, "", "Invalid Token")

    def broken(self, body):
        return body[:max(1, len(body) // 2)] + b"}],,"

    def without(self, request, status, body, known):
        if status != 200 or request.method != "GET" or not request.path.partition("?")[0].endswith("/linode/instances"):
            return None
        answer = json.loads(body)
        known = {str(one) for one in known}
        kept = [one for one in answer["data"] if str(one["id"]) in known]
        if len(kept) == len(answer["data"]):
            return None
        answer["results"] -= len(answer["data"]) - len(kept)
        answer["data"] = kept
        return status, json.dumps(answer).encode()


class Ec2(Plain):
    """The Query API. Honours ClientToken of RunInstances and CreateVolume as EC2 does, and moto does not: the same token
    with the same parameters gets the same answer, with others IdempotentParameterMismatch; a failed call is not remembered."""

    content = "text/xml"

    def __init__(self):
        self._answers, self._lock = {}, threading.Lock()

    def operation(self, request):
        action = request.form.get("Action") or super().operation(request)
        return f"{action} DryRun" if request.form.get("DryRun") == "true" else action

    def changes(self, operation):
        return not operation.startswith(("Describe", "Get")) and not operation.endswith(" DryRun")

    def refusal(self, status, code, text):
        return (f'<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>{code}</Code><Message>{text}</Message>'
                f"</Error></Errors><RequestID>{uuid.uuid4()}</RequestID></Response>").encode()

    def expired(self):
        return 400, self.refusal(400, "RequestExpired", "Request has expired.")

    def _token(self, request):
        form = request.form
        if form.get("Action") not in ("RunInstances", "CreateVolume") or not form.get("ClientToken"):
            return None, None
        scope = re.search(r"Credential=[^/]*/[^/]*/([^/]*)/", request.headers.get("Authorization", ""))
        return (form["Action"], scope and scope[1], form["ClientToken"]), tuple(sorted(form.items()))

    def answered_already(self, request):
        token, parameters = self._token(request)
        with self._lock:
            before = self._answers.get(token)
        if not token or not before:
            return None
        if before[0] != parameters:
            return 400, self.refusal(400, "IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent "
                                     "with arguments used in previous request(s).")
        return 200, re.sub(rb"<requestId>[^<]*", b"<requestId>" + str(uuid.uuid4()).encode(), before[1])

    def remember(self, request, status, body):
        token, parameters = self._token(request)
        if token and status == 200:
            with self._lock:
                self._answers.setdefault(token, (parameters, body))

    def without(self, request, status, body, known):
        if request.operation not in ("DescribeInstances", "DescribeInstanceStatus") or status != 200:
            return None
        asked = [value for name, value in request.form.items() if fnmatch.fnmatchcase(name, "InstanceId.*")]
        for one in asked:
            if one not in known:
                return 400, self.refusal(400, "InvalidInstanceID.NotFound", f"The instance ID '{one}' does not exist")
        root = xml.etree.ElementTree.fromstring(body)
        space = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
        hidden = 0
        for listing in list(root.iter()):
            for item in [child for child in listing if child.tag == f"{space}item"]:
                ids = [one.text for one in item.iter(f"{space}instanceId")]
                if ids and not known.intersection(ids):
                    listing.remove(item)
                    hidden += 1
        if not hidden:
            return None
        xml.etree.ElementTree.register_namespace("", space.strip("{}"))
        return status, xml.etree.ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)


class Vsphere(Plain):
    """SOAP. A machine's id is its reference (vm-42); hidden ones are left out of properties, views, folders and the search
    index, but can be read by who names them, and keep their name taken."""

    content = "text/xml; charset=utf-8"
    FINDS = ("FindByInventoryPath", "FindChild", "FindByUuid", "FindAllByUuid", "FindByDnsName", "FindAllByDnsName", "FindByIp",
             "FindAllByIp")
    PROPERTIES = ("RetrieveProperties", "RetrievePropertiesEx", "ContinueRetrievePropertiesEx", "WaitForUpdatesEx", "WaitForUpdates")

    def __init__(self):
        self._watched = set()  # (session, machine) that a property filter was made for

    def remember(self, request, status, body):
        if request.operation == "CreateFilter":
            for reference in re.findall(rb'<(?:\w+:)?obj [^>]*type="VirtualMachine"[^>]*>([^<]*)<', request.body):
                self._watched.add((request.headers.get("Cookie"), reference.decode()))

    def changes(self, operation):
        looks = ("SearchDatastore_Task", "SearchDatastoreSubFolders_Task")
        return (operation.endswith("_Task") and operation not in looks) or operation in (
            "PowerOffVM", "Destroy", "ShutdownGuest", "RebootGuest", "UnregisterVM", "MakeDirectory")

    def operation(self, request):
        found = re.search(rb"<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)", request.body)
        return found[1].decode() if found else super().operation(request)

    def refusal(self, status, code, text):  # noqa: ARG002
        """`code`: the type of the fault."""
        return ('<?xml version="1.0" encoding="UTF-8"?>\n'
                '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
                'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault>'
                f'<faultcode>ServerFaultCode</faultcode><faultstring>{text}</faultstring><detail>'
                f'<{code}Fault xmlns="urn:vim25" xsi:type="{code}"></{code}Fault></detail>'
                "</soapenv:Fault></soapenv:Body></soapenv:Envelope>").encode()

    def temporary(self, status):
        if status == 500:
            return self.refusal(500, "SystemError", "A general system error occurred: internal error")
        return f"{status} (Failed to connect to endpoint: [N7Vmacore4Http20NamedPipeServiceSpecE])".encode()

    def expired(self):
        return 500, self.refusal(500, "NotAuthenticated", "The session is not authenticated.")

    def without(self, request, status, body, known):
        if status != 200:
            return None
        text = body.decode()

        def drop(pattern, keep=lambda _: False):
            def judged(found):
                return found[0] if found[1] in known or keep(found[1]) else ""
            return re.sub(pattern, judged, text, flags=re.S)

        if request.operation in self.FINDS:
            text = drop(r'<returnval[^>]*type="VirtualMachine"[^>]*>([^<]*)</returnval>')
        elif request.operation in self.PROPERTIES:
            asked, session = request.body.decode(errors="replace"), request.headers.get("Cookie")
            for tag in ("objects", "objectSet"):
                text = drop(rf'<{tag}>(?:<kind>\w*</kind>)?<obj [^>]*type="VirtualMachine"[^>]*>([^<]*)</obj>.*?</{tag}>',
                            keep=lambda reference: f">{reference}</" in asked or (session, reference) in self._watched)
            text = drop(r'<ManagedObjectReference [^>]*type="VirtualMachine"[^>]*>([^<]*)</ManagedObjectReference>')
        return (status, text.encode()) if text.encode() != body else None


def form_of(body, content_type):
    """The fields of a form; of a repeated one the last."""
    if "x-www-form-urlencoded" not in content_type:
        return {}
    return dict(urllib.parse.parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
