"""What stands around a word: whether the paper says it of itself, now, and in earnest.

Context rules bounded by sentence and clause, without a parser. A word counts fully when it is said plainly; less when
it is denied, cited, taught, past, supposed, published, or a form's label. How much less the weights below say; the
small model sees both sums, so these are no final judgement.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from typing import Literal

Reading = Literal["plain", "denied", "cited", "taught", "past", "supposed", "published", "form"]
WEIGHT: dict[Reading, float] = {
    "plain": 1.0, "denied": 0.0, "cited": 0.1, "taught": 0.25, "past": 0.3, "supposed": 0.2, "published": 0.2,
    "form": 0.3,
}  # fmt: skip
_CLAUSE = re.compile(r"[。;!?\n,]")
_SENTENCE = re.compile(r"[。;!?\n]")
_QUOTED = re.compile(r"《[^《》\n]{2,80}》")
_DENIED = re.compile(
    r"(?:不涉及|未涉及|不含有?|不包[括含]|未包含|并非|不属于|非涉密|不是|无需|无涉|没有(?:任何)?|未发现|不存在|绝非|"
    r"与[^,。]{0,12}无关|不讨论|不得涉及|不[得要](?:上传|携带|出现|写入)|剔除|除外|删去|已删除)[^,。;]{0,14}$"
)
_DENIED_AFTER = re.compile(r"^[^,。;]{0,10}(?:除外|无关|不在此列|另行|均不涉及|内容已删|已作?删除|不属于)")
_TAUGHT = re.compile(
    r"培训|讲座|授课|学习|宣讲|宣传|教育|知识竞赛|案例警示|警示片|考核题|以案|党课|讲解|普及|提高.{0,4}意识|增强.{0,6}意识|"
    r"保密法|条例|规定[,:]|按照.{0,20}(?:规定|要求|办法)|依据|依法|第[一二三四五六七八九十百\d]+条|严禁|禁止|不得|应当|一律"
)
_PAST = re.compile(
    r"历史|当年|昔日|曾经|往昔|纪念|回忆|回顾|抗战|解放战争|长征|烈士|老兵|退役|退伍|展览|展厅|展陈|博物馆|纪念馆|旧址|史料|"
    r"已解密|解密档案|地方志|年鉴|校史|院史|党史|(?:18|19)\d{2}年|上世纪|民国|清代|古代"
)
_SUPPOSED = re.compile(
    r"假设|假如|假定|如果发生|模拟|演练|桌面推演|脚本|虚构|示例|样例|例题|例如|比如|比喻|好比|仿佛|电影|影片|小说|剧目|话剧|剧本|"
    r"电视剧|游戏|读书|书评|影评|剧情|主人公|纪录片"
)
_PUBLISHED = re.compile(
    r"已(?:经|于[^,。]{0,16})?(?:对外|向社会|正式|依法)?(?:公布|公开|发布|公告|公示|披露|刊登|见报|宣布)|公开(?:发布|报道|出版|渠道|信息|资料|数据)|官网|"
    r"门户网站|新闻(?:报道|发布会|稿)|媒体报道|记者|本报讯|据.{2,10}报道|公示期|向社会|面向社会|市民|政务公开|信息公开"
)
_UNPUBLISHED = re.compile(
    r"(?:尚未|未经?|暂不|不予|不宜|没有|未对外|不)(?:正式|批准|对外|向社会)?(?:公布|公开|发布|公告|公示|披露|见报|宣布)|"
    r"(?:公布|公开|发布|公告|公示|披露|宣布|启用|开标|实施)(?:之)?前"
)
_BLANK = re.compile(r"_{2,}|[×xX]{3,}|\(\s*\)|□|:$")


@dataclass(frozen=True, slots=True)
class Contexts:
    """The sentences and clauses of a text (tight, NFKC), ready to be asked about a place."""

    text: str
    sentences: tuple[int, ...]
    clauses: tuple[int, ...]
    quoted: tuple[tuple[int, int], ...]
    own: tuple[int, int]
    """The span of the paper's own title: what stands there is not cited."""

    def sentence(self, position: int) -> str:
        """The sentence around a character."""
        return self.text[slice(*self._around(self.sentences, position))]

    def clause(self, position: int) -> tuple[int, int]:
        """The clause around a character, as a span."""
        return self._around(self.clauses, position)

    def _around(self, ends: tuple[int, ...], position: int) -> tuple[int, int]:
        index = bisect.bisect_right(ends, position)
        start = ends[index - 1] if index else 0
        stop = ends[index] if index < len(ends) else len(self.text)
        return start, stop

    def read(self, start: int, end: int) -> Reading:
        """How the words at a span are said."""
        if any(left <= start < right for left, right in self.quoted):
            return "cited"
        left, right = self.clause(start)
        before, after = self.text[left:start], self.text[end:right]
        if _DENIED.search(before) or _DENIED_AFTER.match(after):
            return "denied"
        around = self.sentence(start)
        if _UNPUBLISHED.search(around):
            return "plain"
        for reading, cue in _CUES:
            if cue.search(around):
                return reading
        if len(around) < 24 and _BLANK.search(around):
            return "form"
        return "plain"


_CUES: tuple[tuple[Reading, re.Pattern[str]], ...] = (
    ("published", _PUBLISHED), ("supposed", _SUPPOSED), ("past", _PAST), ("taught", _TAUGHT),
)  # fmt: skip


def contexts_of(text: str, *, own: tuple[int, int] = (0, 0)) -> Contexts:
    """Cuts a text into sentences and clauses; `own` is the span of the paper's own title."""
    return Contexts(
        text,
        tuple(found.end() for found in _SENTENCE.finditer(text)),
        tuple(found.end() for found in _CLAUSE.finditer(text)),
        tuple(found.span() for found in _QUOTED.finditer(text)),
        own,
    )


# ---------------------------------------------------------------- signals of the whole paper

SIGNALS: dict[str, re.Pattern[str]] = {
    "unpublished": _UNPUBLISHED,
    "published": _PUBLISHED,
    "taught": re.compile(
        r"培训|宣讲|宣传|讲座|授课|知识竞赛|警示教育|学习贯彻|专题学习|教育日|宣传周|宣传月"
    ),
    "norm": re.compile(r"应当|第[一二三四五六七八九十百]+条|本办法|本规定|本制度|自.{2,14}起施行|解释权"),
    "past": _PAST,
    "supposed": _SUPPOSED,
    "restricted": re.compile(
        r"知悉范围|仅限|不得(?:外传|扩散|复印|转发|拍照|摘抄|翻印|留存|带离|引用|泄露|透露|告知|议论|提前)|阅后|会后收回|当场收回|"
        r"当面(?:交|递|送)|专人(?:送|取|保管|递)|勿(?:外传|转|扩散|对外)|限.{0,6}(?:阅|知|掌握)|请勿|绝不能(?:外传|泄|透)|范围控制|"
        r"小范围|少数人|单独汇报|口头|不留底|不上网|不入网|勿经(?:网络|微信)|不(?:得|要|宜)(?:通过|使用)(?:网络|微信|手机|电话)"
    ),
    "draft": re.compile(
        r"讨论稿|未定稿|送审稿|征求意见稿|审议稿|初稿|草案|代拟稿|待定|初步(?:意见|方案|考虑|"
        r"测算)"
    ),
    "ahead": re.compile(
        r"(?:拟|将|计划|预计|定)于|(?:拟|计划|准备|打算|考虑)(?:在|将|由|对|把|以|按|与|向)|"
        r"下(?:周|月|季度|半年)|届时|择机|待.{2,10}后"
    ),
    "money": re.compile(
        r"\d[\d,.]*(?:万|亿|千)?(?:元|美元|欧元|港币)|\d+(?:\.\d+)?%|百分之|[一二三四五六七八九十]+个百分点"
    ),
    "count": re.compile(
        r"\d+(?:\.\d+)?(?:余|多)?(?:人|名|辆|吨|台|套|枚|门|艘|架|支|发|箱|公斤|千克|公里|米|"
        r"处|座|个点|例|户|票|兆瓦|毫米)"
    ),
    "clock": re.compile(r"\d{1,2}(?:时|点|:\d{2})|凌晨|当晚|零时|零点|拂晓"),
    "person": re.compile(
        r"[\u4e00-\u9fff](?:某|××|XX|\*\*)|同志|身份证|(?:男|女),\d{2}岁|\d{2,3}岁|[\u4e00-\u9fff]{1,3}(?:书记|"
        r"局长|主任|处长|院长|校长|总经理)"
    ),
    "bottom": re.compile(
        r"底线|底价|上限|下限|不低于|不超过|不高于|最多(?:可|让|接受)|让步|筹码|可接受|退一步|"
        r"最低"
    ),
    "public": re.compile(
        r"广大(?:市民|群众|居民|考生|师生|读者)|欢迎|咨询电话|监督电话|热线|报名|公告如下|公示如下|"
        r"通告如下|特此(?:公告|通告|公示)|敬请|面向社会"
    ),
    "routine": re.compile(
        r"请(?:各[\u4e00-\u9fff]{1,5}|相关部门)?(?:按时|准时|及时|认真|做好|于|妥善安排|合理安排|"
        r"自觉|配合)|值班|放假|用餐|报名|场地|卫生|保洁|节约|文明|有序|温馨提示|后勤|通勤"
    ),
    "blank": re.compile(r"_{3,}|×{3,}|□"),
    "hushed": re.compile(
        r"别(?:让|说|提|讲|问|传|露|声张|往外|通气|叫|透|告诉|拍照)|先别|先不|谁也(?:别|不)|"
        r"不(?:声张|惊动|打招呼|打听|通气|登记|署名|上网|外传|外露|告诉|存底|留)|"
        r"(?:还|尚|都|本人|家属|家里|对方|谁)?(?:不|没人)(?:知道|知情|晓得)|蒙在鼓里|走漏|走嘴|风声|露风|透风|透气|口风|"
        r"悄悄|暗中|私下|瞒|化名|便衣|只(?:给|有|报|讲|限|告诉|能)[^,。;]{0,10}(?:人|看|知|讲|掌握)|"
        r"锁(?:着|在|进|好)|铁柜|保险柜|密封|封存|信封|亲手|收走|看完(?:收|还|烧|碎)"
    ),
    "purse": re.compile(
        r"(?:心里|兜里|口袋|手里)[^,。;]{0,8}(?:价|数|有数|\d|万|亿)|底(?:数|牌|单|细)|封顶|顶多|最多|最低|"
        r"(?:让|谈|压|加|掉|降|添|退)到|开(?:口|价)|松口|估(?:值|价|了)?[^,。;]{0,6}(?:万|亿)|打包|不超过"
    ),
    "everyday": re.compile(
        r"自愿|领取|张贴|贴(?:在|到|上|墙|门)|官网|公众号|报名|抽奖|海报|展板|节目|比赛|讲(?:座|解|什么|怎样)|怎样|须知|大家|免费|"
        r"合影|参观|体检|提醒|提示|(?:已|早)(?:经)?(?:挂|贴|登|上网|见报|公布|发布|披露|公示)"
    ),
    "law": re.compile(r"《[^《》]{2,30}(?:法|条例|规定|办法|细则)》"),
    "secrecy": re.compile(r"保密|泄密|涉密|密级|定密|解密"),
}  # fmt: skip
"""Named cues of a paper; how many of each stand there is what the model sees."""


def signals_of(text: str) -> dict[str, int]:
    """How often each cue stands in a text."""
    return {name: count for name, cue in SIGNALS.items() if (count := sum(1 for _ in cue.finditer(text)))}
