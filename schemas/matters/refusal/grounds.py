"""Grounds of refusal to execute 拒执 that a lead can name, by article and item.

`NPC-n`: 全国人大常委会关于刑法第三百一十三条的解释 (2002-08-29), items 1–5. `JZ3-n`, `JZ4-n`, `JZ6`, `JZ8`:
法释〔2024〕13号 articles 3, 4, 6 (before the judgment was in force) and 8 (an outsider helps).
"""

from __future__ import annotations

from typing import Annotated, Literal

from lianzhi.protocol.base import Vocabulary

Ground = Vocabulary[
    Annotated[
        Literal["NPC-1"],
        "被执行人隐藏、转移、故意毁损财产，或无偿转让、以明显不合理低价转让财产，致使判决、裁定无法执行",
    ]
    | Annotated[
        Literal["NPC-2"], "担保人或被执行人隐藏、转移、故意毁损或转让已向法院提供担保的财产，致使判决、裁定无法执行"
    ]
    | Annotated[Literal["NPC-3"], "协助执行义务人接到协助执行通知书后拒不协助执行，致使判决、裁定无法执行"]
    | Annotated[Literal["NPC-4"], "与国家机关工作人员通谋，利用其职权妨害执行，致使判决、裁定无法执行"]
    | Annotated[Literal["NPC-5"], "其他有能力执行而拒不执行，情节严重的情形（立法解释第五项）"]
    | Annotated[Literal["JZ3-1"], "恶意无偿处分财产权益、延长到期债权履行期限或虚假和解、虚假转让"]
    | Annotated[Literal["JZ3-2"], "以明显不合理高价受让财产、为他人债务提供担保等恶意减损责任财产"]
    | Annotated[Literal["JZ3-3"], "伪造、毁灭、隐匿履行能力证据或妨碍作证"]
    | Annotated[Literal["JZ3-4"], "拒绝或虚假报告财产、违反限制消费令等，经罚款、拘留等后仍拒不执行"]
    | Annotated[Literal["JZ3-5"], "经罚款、拘留等后仍拒不交付财物、票证或拒不迁出房屋、退出土地"]
    | Annotated[Literal["JZ3-6"], "经罚款、拘留等后仍拒不履行协助行使人身权益等作为义务"]
    | Annotated[Literal["JZ3-7"], "经罚款、拘留等后仍违反人身安全保护令等不作为义务"]
    | Annotated[Literal["JZ3-8"], "以恐吓、聚众哄闹、拉拽等方法阻碍进入执行现场"]
    | Annotated[Literal["JZ3-9"], "毁损、抢夺执行案卷、车辆、器械、服装或证件"]
    | Annotated[Literal["JZ3-10"], "其他有能力执行而拒不执行，情节严重"]
    | Annotated[Literal["JZ4-1"], "以虚假诉讼、仲裁、公证等方式妨害执行（情节特别严重）"]
    | Annotated[Literal["JZ4-2"], "聚众冲击执行现场（情节特别严重）"]
    | Annotated[Literal["JZ4-3"], "围攻、扣押、殴打执行人员（情节特别严重）"]
    | Annotated[Literal["JZ4-4"], "致使申请执行人自杀、自残或其他严重后果（情节特别严重）"]
    | Annotated[Literal["JZ4-5"], "其他情节特别严重的情形"]
    | Annotated[Literal["JZ6"], "诉讼开始后、裁判生效前隐藏、转移财产等，裁判生效后仍拒不执行"]
    | Annotated[Literal["JZ8"], "案外人明知而与负有执行义务的人通谋，协助隐藏、转移财产等（共犯）"]
]
AFTER_PENALTY = frozenset({"JZ3-4", "JZ3-5", "JZ3-6", "JZ3-7"})
"""Grounds that exist only when a fine, detention or the like did not help."""
WITH_ACCOMPLICE = "JZ8"
