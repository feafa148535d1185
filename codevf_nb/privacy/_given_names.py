"""Common given names, which identify names of people in a column with the ambiguous name ``name``.

They are among the most frequent names in birth registers of Europe, the Americas and Asia. In each country that was
checked, a tenth of the values in a column of people contain one of them, and hardly any values in a column of things.
"""

from __future__ import annotations

from codevf_nb.privacy._name_words import words_in

GIVEN_NAMES = words_in(
    """
    aaron abdul abdullah abigail adam adrian agnes ahmed aisha akira alan albert alejandro alessandro alex
    alexander alexandra alexis ali alice alicia alina allison alva amanda amelia amir amit amy ana anastasia
    andre andrea andreas andrei andrew andrzej angela angelina anil anita anja ann anna anne annie anthony
    antoine anton antonio anya arjun arnold arthur arturo asha ashley astrid audrey august austin ava ayse
    barbara beatrice beatriz ben benjamin bernard bernd beth betty bianca bill birgit bjorn bob boris brandon
    brenda brian brigitte bruno bryan camila carina carl carla carlos carmen carol carolina caroline caspar
    catherine cecilia cem charles charlie charlotte chen chloe chris christian christina christine christoph
    christopher claire clara claudia clemens connor craig cynthia daniel daniela danielle dariusz david deborah
    deepak dennis diana diego dieter dimitri dmitri dolores dominic donald donna dorothy douglas dylan edith
    eduardo edward eileen elena eli elias elif elisa elisabeth elizabeth ella ellen elsa emanuel emil emilia
    emily emma enrique eric erica erik erika ernst esther ethan eugene eva evan evelyn fabian farid fatima
    felipe felix fernando finn fiona florence florian frances francesca francesco francisco francois frank franz
    fred frederick frieda fritz gabriel gabriela gary georg george georgia gerald gerhard giovanni gisela giulia
    giuseppe gloria gordon grace greg gregory greta guido gustav hannah hans harold harry hassan heather heidi
    heinrich heinz helen helena helga henri henrik henry herbert hiroshi holger howard hugo ian ibrahim ida ines
    ingrid irene irina isaac isabel isabella ivan jack jacob jakob james jan jane janet janina jason javier jean
    jeff jeffrey jennifer jens jeremy jerry jesse jessica jim joachim joan joanna jochen joe joel johan johann
    johanna johannes john jon jonas jonathan jordan jorge jose josef joseph joshua juan juana judith judy julia
    julian juliana julie justin jürgen jurgen kai karen karin karl karla katarina kate katharina katherine
    kathleen kathryn katja katrin keith kelly kenji kenneth kerstin kevin khalid kim klaus konrad krzysztof kurt
    kyle lars laura lauren laurent lea leah lee lena leo leon leonie leonardo li liam lillian lily lina linda
    lisa logan lorenzo louis louise luca lucas lucia lucy luigi luis luisa lukas luke madison magda magdalena
    mahmoud manfred manuel manuela marc marcel marco marcus margaret maria mariam marie marina mario marion
    marius mark markus marta martha martin martina mary mathias matteo matthew matthias maurice max maximilian
    megan mehmet mei melanie melissa mia michael michal michel michelle miguel mikhail mohamed mohammad mohammed
    monica monika monique mustafa nadia nancy natalia natalie nathan neha nicholas nick nico nicola nicolas
    nicole niels nikhil nikolai nils nina noah nora norbert olaf oleg olga oliver olivia omar oscar otto owen
    pablo pamela paola pascal patricia patrick paul paula pavel pedro peter petra philip philipp phillip pierre
    pietro pilar piotr priya rachel rafael rahul raj rajesh ralf ralph ramon raquel rebecca regina reinhard
    renate ricardo richard rita robert roberta roberto robin roger roland rolf roman ronald rosa rose ruben ruth
    ryan sabine sally sam samantha samir samuel sandra sanjay sara sarah scott sean sebastian sergei sergio
    shannon sharon sherry silvia simon simone sofia sonia sonja sophia sophie stefan stefanie stella stephanie
    stephen steve steven sunil susan susanne suzanne sven svenja sylvia takashi tamara tanja tatiana teresa theo
    theodor theresa thomas tiago tim timothy tina tobias todd tom tomasz tony travis tyler udo ulrich ulrike
    ursula uwe valentina vera veronica victor victoria vijay vincent viola virginia vladimir volker walter wang
    wayne wei wendy werner wilhelm will william wolfgang xavier yan yasmin yolanda yuki yusuf yves zachary zhang
    zoe
    """
)
