"""Words of health that stand beside a person in protected health information, and first names; small and our own.

Conditions and treatments are those that charts, letters and prescriptions of general practice name most. Words
that mostly mean something else are left out: depression of prices, a stroke of luck, cold, shock.
"""

from __future__ import annotations

CONDITIONS = """
    abscess, acne, adhd, aids, alcoholism, alzheimer's, alzheimers, alzheimer's disease, amputation, anaemia,
    anemia, aneurysm, angina, anorexia, anorexia nervosa, anxiety disorder, appendicitis, arrhythmia, arthritis,
    asthma, atrial fibrillation, autism, bipolar disorder, bowel disease, breast cancer, bronchitis, bulimia,
    cancer, carcinoma, cardiomyopathy, cataract, celiac disease, coeliac disease, cervical cancer, chemotherapy,
    chlamydia, chronic fatigue, chronic kidney disease, chronic pain, cirrhosis, colitis, colon cancer, concussion,
    congestive heart failure, copd, coronary artery disease, covid, covid-19, crohn's, crohn's disease, cystic
    fibrosis, deep vein thrombosis, dementia, dermatitis, diabetes, diabetic, dialysis, diverticulitis, down
    syndrome, dyslexia, eczema, emphysema, endometriosis, epilepsy, epileptic, erectile dysfunction, fibroids,
    fibromyalgia, fracture, gallstones, gastritis, gestational diabetes, glaucoma, gonorrhea, gout, guillain-barré,
    heart attack, heart disease, heart failure, hemophilia, hepatitis, hernia, herniated disc, herpes, hiv,
    hiv-positive, hodgkin's, huntington's disease, hypertension, hyperthyroidism, hypothyroidism, infertility,
    irritable bowel syndrome, kidney disease, kidney failure, kidney stones, leukaemia, leukemia, lupus, lyme
    disease, lymphoma, macular degeneration, major depression, major depressive disorder, clinical depression,
    malaria, measles, melanoma, meningitis, migraine, migraines, miscarriage, mononucleosis, multiple sclerosis,
    muscular dystrophy, myocardial infarction, narcolepsy, neuropathy, obesity, obsessive-compulsive disorder, ocd,
    osteoarthritis, osteoporosis, ovarian cancer, pancreatitis, panic disorder, panic attacks, parkinson's,
    parkinson's disease, pneumonia, polio, post-traumatic stress disorder, postpartum depression, preeclampsia,
    pregnancy test, prostate cancer, psoriasis, psychosis, ptsd, pulmonary embolism, pulmonary fibrosis, renal
    failure, rheumatoid arthritis, schizophrenia, sciatica, scoliosis, seizure, seizures, sepsis, shingles, sickle
    cell, sinusitis, sleep apnea, sleep apnoea, substance use disorder, suicidal ideation, syphilis, tachycardia,
    tetanus, thrombosis, thyroid cancer, tonsillitis, tuberculosis, tumor, tumour, type 1 diabetes, type 2 diabetes,
    ulcerative colitis, urinary tract infection, biopsy, vertigo, hysterectomy, mastectomy, colonoscopy,
    appendectomy, bypass surgery, knee replacement, hip replacement
"""
DRUGS = """
    abilify, acyclovir, adalimumab, adderall, albuterol, alendronate, allopurinol, alprazolam, amiodarone,
    amitriptyline, amlodipine, amoxicillin, apixaban, aripiprazole, atenolol, ativan, atorvastatin, azathioprine,
    azithromycin, baclofen, bisoprolol, buprenorphine, bupropion, carbamazepine, carvedilol, celecoxib, cephalexin,
    cetirizine, ciprofloxacin, citalopram, clindamycin, clonazepam, clonidine, clopidogrel, clozapine, codeine,
    colchicine, cyclobenzaprine, dexamethasone, diazepam, diclofenac, digoxin, diltiazem, donepezil, doxycycline,
    duloxetine, eliquis, empagliflozin, enalapril, escitalopram, esomeprazole, estradiol, etanercept, ezetimibe,
    famotidine, fentanyl, finasteride, fluconazole, fluoxetine, fluticasone, furosemide, gabapentin, glipizide,
    haloperidol, heparin, humira, hydrochlorothiazide, hydrocodone, hydroxychloroquine, infliximab, insulin,
    ketamine, lamotrigine, lansoprazole, latanoprost, letrozole, levetiracetam, levothyroxine, lexapro, lisinopril,
    lithium carbonate, loratadine, lorazepam, losartan, meloxicam, memantine, metformin, methadone, methotrexate,
    methylphenidate, metoprolol, metronidazole, mirtazapine, montelukast, morphine, naloxone, naltrexone, naproxen,
    nifedipine, nitrofurantoin, nitroglycerin, olanzapine, omeprazole, ondansetron, oxycodone, ozempic,
    pantoprazole, paroxetine, penicillin, phenytoin, pravastatin, prednisolone, prednisone, pregabalin, propranolol,
    prozac, quetiapine, ramipril, ranitidine, risperidone, ritalin, rivaroxaban, rosuvastatin, salbutamol,
    semaglutide, sertraline, seroquel, sildenafil, simvastatin, sitagliptin, spironolactone, sumatriptan, suboxone,
    tacrolimus, tamoxifen, tamsulosin, tizanidine, topiramate, tramadol, trazodone, truvada, valacyclovir,
    valproate, valsartan, vancomycin, venlafaxine, ventolin, verapamil, viagra, warfarin, wellbutrin, xanax, zoloft,
    zolpidem
"""
FIRST_NAMES = """
    aaron adam ahmed aisha alan alejandro alex alexander ali alice amanda amir amy ana andrea andrew angela anita
    ann anna anne anthony antonio arthur barbara ben benjamin beth brandon brian carla carlos carol caroline
    catherine charles charlotte chloe chris christina christine christopher claire clara daniel david deborah dennis
    diana diego donna dorothy edward elena elizabeth ella emily emma eric ethan eva fatima felix fiona frances
    francisco frank gabriel george giulia gloria grace greg gregory hannah hans harold harry hassan heather helen
    henry hiroshi hugo ian ibrahim isabella ivan jack jacob james jamal jan jane janet jason javier jean jeff
    jennifer jessica jin joan joe joel john jonathan jorge jose joseph josh juan judith julia julie karen kate
    katherine keith kelly kenji kevin khalid kim klaus kyle larry laura lauren lee leila leo lena leon lily linda
    lisa louis lucas lucia lucy luis luke maria marie marco margaret maria mark marta martin mary matthew maya megan
    mei melissa michael michelle miguel mohammed monica nadia nancy natalie nathan nicholas nicole nina noah nora
    olga oliver olivia omar oscar pamela patricia patrick paul pedro peter philip priya rachel rahul raj ralph ray
    rebecca richard robert roberto rosa rose ruth ryan samantha samuel sandra sara sarah scott sean sergei sharon
    simon sofia sophia sophie stefan stephanie stephen steven susan svetlana tara teresa thomas tim timothy tom tony
    tyler victor victoria vikram walter wei william yuki yusuf zoe
"""


def listed(text: str) -> frozenset[str]:
    """Return the entries of a list, divided by commas where there are any, else by spaces."""
    parts = text.split(",") if "," in text else text.split()
    return frozenset(" ".join(part.split()) for part in parts)
