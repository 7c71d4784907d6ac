"""Questionnaires: items, forms, scores, instruments and files; what is asked, and the table that answers make.

A questionnaire is put to respondents in the world `Survey`; whoever answers is a policy.
"""

from ethogram.questionnaires.asking import Asked, Skip
from ethogram.questionnaires.conditions import Condition
from ethogram.questionnaires.files import instrument, instruments, load
from ethogram.questionnaires.items import Allocation, Choice, Item, Multiple, Number, Open, Scale
from ethogram.questionnaires.questionnaire import Block, Form, Question, Questionnaire, filled, said
from ethogram.questionnaires.scores import Score
from ethogram.questionnaires.surveyjs import from_surveyjs, to_surveyjs
from ethogram.questionnaires.tables import answers, asked

__all__ = [
    "Allocation",
    "Asked",
    "Block",
    "Choice",
    "Condition",
    "Form",
    "Item",
    "Multiple",
    "Number",
    "Open",
    "Question",
    "Questionnaire",
    "Scale",
    "Score",
    "Skip",
    "answers",
    "asked",
    "filled",
    "from_surveyjs",
    "instrument",
    "instruments",
    "load",
    "said",
    "to_surveyjs",
]
