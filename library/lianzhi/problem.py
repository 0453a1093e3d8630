"""Every reason for which something is refused: one table for HTTP problems (RFC 9457), quarantine and notices.

A code never changes its meaning. `status` is the HTTP status when the fault is met at the API; on the bus the
same code is the quarantine reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    status: int
    zh: str
    en: str


def _table(*rows: tuple[str, int, str, str]) -> dict[str, Reason]:
    return {code: Reason(code, status, zh, en) for code, status, zh, en in rows}


REASONS: dict[str, Reason] = _table(
    # reading bytes
    ("malformed-json", 400, "不是合法的 JSON", "Not well-formed JSON"),
    ("duplicate-member", 400, "JSON 中同一成员出现两次", "A JSON member stands twice"),
    ("too-deep", 400, "JSON 嵌套层数超过上限", "JSON is nested deeper than the limit"),
    ("too-large", 413, "报文超过大小上限，大文件请先上传后按摘要引用", "Too large; upload documents and name them by digest"),
    ("bad-encoding", 400, "须为不带 BOM 的 UTF-8", "Must be UTF-8 without a byte order mark"),
    ("bad-content-type", 415, "媒体类型不对", "Wrong media type"),
    ("bad-number", 422, "数值越界：只收 ±(2^53−1) 内的整数，金额用字符串", "Numbers are integers within ±(2^53−1); money is a string"),
    # signed form
    ("not-an-sd-jwt", 400, "不是签名报文（SD-JWT）", "Not an SD-JWT"),
    ("bad-header", 400, "签名头成员不合约定", "Protected header is not exactly alg, kid, typ, cty"),
    ("bad-alg", 400, "签名算法不被接受或与密钥不符", "Algorithm not accepted or not that of the key"),
    ("bad-typ", 400, "签名头 typ 与用途不符", "Header typ does not fit this use"),
    ("unknown-kid", 400, "密钥编号未登记", "Unknown key identifier"),
    ("foreign-key", 400, "密钥属于另一单位", "The key belongs to another participant"),
    ("wrong-key-purpose", 400, "密钥用途不符", "The key is for another purpose"),
    ("key-not-valid-at-time", 400, "报文时间不在密钥有效期内", "The message's time is outside the key's dates"),
    ("key-revoked", 400, "密钥已吊销", "The key is revoked"),
    ("bad-signature", 400, "签名验证失败", "Signature does not verify"),
    ("bad-envelope", 400, "信封成员不合约定", "An envelope member is missing, extra or wrong"),
    ("bad-disclosure", 400, "披露部分缺失、多余或摘要不符", "Disclosure missing, extra, or not the one signed"),
    ("not-sealed", 400, "应加密的内容未加密", "Content that must be sealed is in clear"),
    ("must-not-be-sealed", 400, "该内容不应加密", "Content that must be readable is sealed"),
    ("cannot-open", 400, "无法解密：不是发给本方密钥的", "Cannot be opened with our key"),
    ("seal-mismatch", 400, "密封内容的编号与信封不符", "The ids inside the sealed part are another message's"),
    ("bad-dialect", 400, "字段规范与登记的不符", "dataschema names a dialect that is not the sender's"),
    # who, when, where
    ("sender-mismatch", 400, "队列、登录用户、来源与密钥不是同一单位，或缺少登录用户", "Queue, broker user, source and key owner differ, or user_id is missing"),
    ("misrouted", 400, "报文进入了他方队列：不接受 CC、BCC 抄送，每份报文只用本单位的路由键发布", "In another participant's queue: copies by CC or BCC are not taken; publish each message once, under a key of your own"),
    ("forbidden-header", 400, "消息属性 headers 中不得有 CC、BCC、x-death、x-first-death-*：请去掉后重新发送", "AMQP headers CC, BCC, x-death and x-first-death-* are not allowed: publish without them"),
    ("not-sent", 400, "死信不是本方发给该单位的报文", "What came back as undeliverable is not a message that we sent to this participant"),
    ("wrong-receiver", 400, "不是发给本方的", "Addressed to another receiver"),
    ("clock-ahead", 400, "报文时间超前", "The message's time is ahead of ours"),
    ("stale", 400, "报文过旧", "The message is too old"),
    ("expired", 400, "报文已过有效期", "The message expired before it first arrived"),
    ("id-reused", 409, "同一报文编号出现了不同内容", "The same id with other bytes"),
    ("sequence-reused", 409, "同一顺序号出现了另一报文", "The same seqno with another id"),
    ("sequence-gap", 409, "顺序号缺失，后续报文在等待", "A seqno is missing; later messages wait for it"),
    ("seqno-too-far", 409, "顺序号超前太多；本件顺序号未占用，请按所示顺序号重发", "The seqno is too far ahead; it is not used up: send it under the number that is expected next"),
    ("held-limit", 409, "提前到达、等待前一顺序号的报文已达上限；本件顺序号未占用，补发所缺报文后可再发", "Too much that came ahead of its turn waits already; this number is not used up: send what is missing, then this again"),
    ("poison", 400, "多次处理失败", "Failed again and again"),
    # conversation
    ("unknown-request", 404, "没有这件请求", "No such request"),
    ("unknown-type", 404, "没有这种事项", "No such matter type"),
    ("unknown-verb", 404, "没有这种动作", "No such verb"),
    ("type-disabled", 409, "该事项已停用", "This matter type is disabled"),
    ("wrong-version", 422, "版本号与目录不符", "Another schema version than the catalogue's"),
    ("not-allowed", 403, "目录不允许该发送方、接收方或身份这样做", "The catalogue does not allow this sender or receiver to do this"),
    ("answer-not-lawful", 422, "该事项不得这样作答，请改用说明中所列的答复", "This matter is not answered so; use one of the answers that are named"),
    ("misdirected", 409, "回复与请求不对应（案件、请求或类型）", "The reply belongs to another request, case or type"),
    ("origin-mismatch", 409, "回复引用的原报文或其摘要不符", "causationid or originhash is not that of our message"),
    ("unknown-ref", 409, "回复指向了请求中没有的人、车或物", "The reply names a ref that the request does not have"),
    ("not-now", 409, "当前状态不允许该动作", "This verb is not allowed in the present state"),
    ("contradicts", 409, "与先前的回复矛盾", "Contradicts what was answered before"),
    ("unknown-control", 409, "没有对应的在用布控、查封措施", "No live measure with that number"),
    ("foreign-group", 409, "组编号不是发起单位自己的", "The group's number is not one of its opener's own"),
    ("request-exists", 409, "请求编号已存在", "A request with this number exists already"),
    # content
    ("invalid-field", 422, "字段不合规则", "Invalid field"),
    ("approvals-missing", 422, "缺少必需的审批", "Approvals that this matter needs are missing"),
    ("approval-refused", 422, "该审批不能接受", "This approval cannot be accepted"),
    ("approval-decided", 409, "该请求的审批已经结束，或不需要该审批", "Already decided, or no such decision is awaited"),
    ("break-glass-refused", 422, "不能先行发出、事后补批", "This may not be sent first and approved afterwards"),
    ("break-glass-limit", 422, "本日先行发出的次数已用完", "No more may be sent before approval today"),
    ("handler-limit", 422, "承办人本日此类敏感查询次数已用完", "The handler's sensitive queries of this family are used up for today"),
    ("group-incomplete", 409, "须发给当初发布的每一家单位，缺少所列单位", "It must go to every recipient of the publication; those named are missing"),
    ("unknown-group", 404, "没有这个组", "No such group"),
    ("unknown-release", 404, "没有这次结案解除", "No such release"),
    ("nothing-to-reassign", 409, "该案没有需要变更的请求和措施", "The case has no open request and no live measure"),
    ("documents-missing", 422, "缺少必需的文书", "Documents that this matter needs are missing"),
    ("signature-required", 422, "强制类事项须由法院系统签名提交", "A coercive matter must be submitted signed"),
    ("receiver-does-not-take", 422, "接收方不受理该事项", "The receiver does not take this type"),
    ("unknown-receiver", 422, "没有登记该接收方", "No such receiver is registered"),
    ("unknown-staff", 422, "人员未登记、未生效或已撤销", "Staff number not registered, not yet valid or revoked"),
    ("protected-plate", 422, "使领馆、军警车牌不得采取强制措施", "Embassy, consular, military and armed-police plates block coercive matters"),
    ("measure-open", 409, "同案、同一对象已有在办的同种措施", "One open measure on this object in this case already"),
    ("measure-not-live", 409, "该对象没有所依据的在用措施（如查封、已发布的惩戒）", "The measure that this rests on, such as a seal or a publication, is not live"),
    ("measure-forbids", 409, "该对象在宽限等期限内，期满或终止前不能办理", "A measure on this object, such as a grace, forbids this until it ends"),
    ("renewal-late", 409, "原措施已到期，不能续期，请重新申请", "The measure has ended and cannot be renewed; ask anew"),
    ("term-mismatch", 409, "所写的原到期日与登记的不符，请查询后更正", "The end that is stated is not the one that is registered; look it up"),
    ("over-seizure", 409, "本案已查控财产的价值足以清偿债务，不得超标的查封", "What is seized in this case covers the debt already; no more may be seized"),
    ("debt-differs", 409, "债务数额与本案已登记的不一致，须写明变更原因", "The debt is not the figure that this case has; another figure needs a reason"),
    ("measure-active", 409, "措施已生效，须用解除事项了结，不能撤回", "The measure is active: end it by its ending type, it cannot be withdrawn"),
    # ledgers
    ("unknown-ledger", 404, "没有这本台账", "No such ledger"),
    ("closure-exists", 409, "该案已登记终本", "This case is in the ledger of terminated cases already"),
    ("unknown-closure", 404, "该案未登记终本", "This case is not in the ledger of terminated cases"),
    ("closure-over", 409, "该案已恢复执行或核查期满，不再登记", "This case was resumed, or its years of rechecks are over"),
    ("unknown-measure", 404, "没有这项控制措施", "No such measure"),
    # API
    ("unauthorized", 401, "未提供凭证或凭证无效", "No credential, or a wrong or revoked one"),
    ("forbidden", 403, "凭证没有此权限", "The credential lacks this scope"),
    ("operator-forbidden", 403, "操作人无此权限", "This operator may not do that"),
    ("not-found", 404, "没有这个资源", "No such resource"),
    ("method-not-allowed", 405, "该地址不支持此方法", "This address does not support the method"),
    ("idempotency-key-missing", 400, "缺少 Idempotency-Key 请求头", "The Idempotency-Key header is missing"),
    ("idempotency-key-reused", 422, "同一 Idempotency-Key 用于不同内容", "The Idempotency-Key was used with other bytes"),
    ("in-doubt", 409, "网关的数据库恢复过，此件可能在恢复前已办理，已列给运维人员：请稍后以同一 Idempotency-Key 原样重发；确是新件的，带上 Lianzhi-Incarnation 请求头", "The gateway's database was restored and this may have been accepted before; a person will decide: send the same again later under the same Idempotency-Key. What is surely new carries the header Lianzhi-Incarnation"),
    ("done-before", 409, "运维人员认定此件在数据库恢复前已经办理，不再办理", "A person found that this was done before the database was restored; it is not done again"),
    ("not-provable", 409, "无法证明该请求，未予恢复，留存的报文不变", "The request cannot be proven and is not taken up; what is kept of it stays"),
    ("document-mismatch", 422, "文书内容与摘要不符", "The document's bytes are not those of the digest"),
    ("malformed-request", 400, "不是合法的 HTTP 请求", "Not a well-formed HTTP request"),
    ("too-slow", 408, "请求头或请求体传得太慢，连接已关闭", "The request's head or body came too slowly; the connection is closed"),
    ("too-many-requests", 429, "同一凭证或同一来源的在办请求已达上限，请稍后重试", "One credential or one address has too much in flight; retry later"),
    ("too-many-connections", 503, "连接数已达上限，请稍后重试", "All connections are taken; retry later"),
    ("documents-quota", 409, "未被任何请求引用的文书已达上限", "Too many documents that no request names"),
    ("link-gone", 410, "链接已失效：已用过、预警已处理，或是旧式链接", "The link is over: used, its alert was answered, or of the old form"),
    ("cursor-gone", 410, "游标过旧，事件已不再保留", "The cursor is older than what is kept"),
    ("other-incarnation", 410, "网关的数据库恢复过，该游标属于恢复前：请从所给游标（cursor）读起；未给的，不带 after 重新读", "The gateway's database was restored, and this cursor is from before: go on with the `cursor` that is named; where none is, begin again without `after`"),
    ("bad-cursor", 400, "游标不合规则", "Not a cursor of ours"),
    ("set-back", 503, "数据库是较早的副本或另一个库：请运行 lianzhi db restored 后再启动", "The database is an older copy of itself, or another one: run `lianzhi db restored`, then start again"),
    ("marks-unreadable", 503, "标记文件与代理中的标记都读不到，暂不给号；请查 lianzhi doctor", "Neither mark can be read, so no number is given; see `lianzhi doctor`"),
    ("unavailable", 503, "存储不可用或积压过多，请稍后重试", "The store is down or the backlog limit is reached; retry later"),
    ("operators-unreadable", 503, "操作人名单读不出，谁也不能操作：请按所示之处改正 lianzhi.toml", "The list of operators cannot be read, so nobody can act: mend lianzhi.toml where it says"),
    ("internal", 500, "网关内部错误，已记录", "An error of the gateway itself; it has been recorded"),
)  # fmt: skip


class FieldError(BaseModel):
    """One thing that is wrong: where (JSON pointer), which rule, and what to do, in Chinese and English."""

    model_config = ConfigDict(frozen=True)

    pointer: Annotated[str, Field(title="位置", description="JSON pointer (RFC 6901); empty: the whole")]
    rule: Annotated[str, Field(title="规则", description="Name of the rule that is broken")]
    detail: Annotated[str, Field(title="说明", description="What to do, in Chinese")]
    detail_en: Annotated[str, Field(title="英文说明", description="What to do, in English")]


class Problem(BaseModel):
    """`application/problem+json` (RFC 9457)."""

    model_config = ConfigDict(frozen=True)

    type: Annotated[str, Field(title="种类", description="`urn:lianzhi:problem:<code>`")]
    title: Annotated[str, Field(title="标题", description="What is wrong, in Chinese")]
    title_en: Annotated[str, Field(title="英文标题", description="What is wrong, in English")]
    status: Annotated[int, Field(title="状态码", description="HTTP status")]
    errors: Annotated[list[FieldError], Field(title="各处错误", description="Where, and which rule")] = []
    cursor: Annotated[str | None, Field(title="游标", description="Of a feed: where to go on")] = None

    @classmethod
    def of(cls, code: str, errors: list[FieldError] | None = None, *, cursor: str | None = None) -> Problem:
        r = REASONS[code]
        return cls(
            type=f"urn:lianzhi:problem:{code}",
            title=r.zh,
            title_en=r.en,
            status=r.status,
            errors=errors or [],
            cursor=cursor,
        )

    def document(self) -> dict[str, Any]:
        return self.model_dump(exclude=None if self.cursor is not None else {"cursor"})
